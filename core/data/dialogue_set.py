"""Makes a set of synthetic dialogues, with a card that says what they are."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from ..errors import ConfigError, InputError
from ..files import digest_of, expanded, is_litter, remove_partial, whole
from ..progress import Progress
from ..version import __version__
from .dialogue_settings import DialoguesOptions
from .dialogues import check_wanted, make_dialogue
from .takes import people_in

CARD = "card.md"
TRAIN, VALIDATION = "train", "validation"
_WHAT = """\
# Synthetic dialogues

Made by asdkit {version} out of clips of {people} people. They are no recordings of conversations:

- People speak sentences that have nothing to do with each other.
- A listener is that person's own silent frames, played back and forth. Nobody reacts to anybody:
  no nod, no laugh, no look at who speaks. Lips hardly move but in speech.
- Voices are added up as they were recorded, without a room around them, in white noise.
- Speech is where the clip's sound is at most 20 dB below its loud frames; pauses under 0.2 s are
  closed.
- With few clips, sentences come back.

So figures on them compare configurations with each other; they do not carry over to real talk.

For each video there are NAME.mp4, NAME.json (which face speaks in each frame at 25 a second, and
whether somebody unseen is heard) and NAME.rttm (every voice). To read them:
dataset=dialogue dataset.folder=FOLDER

The same clips and options give the same videos:

```json
{options}
```
"""
Tell = Callable[[str], None]
"""Called with a line of text on each dialogue."""


def make_dialogues(
    options: DialoguesOptions, output: Path, tell: Tell, progress: Progress
) -> list[Path]:
    """Make dialogues; those that are there already, of the same options, stay.

    Args:
        options: The options of the command.
        output: The folder; with validation speakers it gets the folders `train` and `validation`.
        tell: Called with a line on each dialogue.
        progress: Called with the dialogues that are done.

    Returns:
        The folders with dialogues.

    Raises:
        ConfigError: A speaker is not there, or a folder has something else in it.
        InputError: The clips cannot be used.
        OutputError: A file cannot be written.
    """
    people = people_in(expanded(options.clips))
    apart = validation_speakers(sorted(people), options)
    train = {name: clips for name, clips in people.items() if name not in apart}
    parts: list[tuple[Path, Mapping[str, Sequence[Path]], range]]
    seeds = range(options.seed, options.seed + options.number)
    if not apart:
        parts = [(output, train, seeds)]
    else:
        others = {name: people[name] for name in apart}
        later = range(seeds.stop, seeds.stop + options.validation_number)
        parts = [(output / TRAIN, train, seeds), (output / VALIDATION, others, later)]
    done, total = 0, sum(len(numbers) for _, _, numbers in parts)
    cards = [_card(options, those) for _, those, _ in parts]
    for (folder, those, _), card in zip(parts, cards, strict=True):
        check_wanted(those, options)
        _check_folder(folder, card)
    for (folder, those, numbers), card in zip(parts, cards, strict=True):
        with whole(folder / CARD) as aside:
            aside.write_text(card, "utf-8")
        for number in numbers:
            progress("making dialogues", done, total)
            done += 1
            video = folder / f"dialogue_{number}.mp4"
            if video.with_suffix(".rttm").exists():  # which is written last
                tell(f"{video}: there already")
                continue
            make_dialogue(those, folder, number, options)
            tell(str(video))
    return [folder for folder, _, _ in parts]


def validation_speakers(names: Sequence[str], options: DialoguesOptions) -> list[str]:
    """Whose clips are for validation alone.

    Args:
        names: Everybody of whom there are clips.
        options: The options of the command.

    Raises:
        ConfigError: A name is of nobody, or nobody is left.
    """
    given = options.validation_speakers
    if given is None:
        return []
    if isinstance(given, list):
        if unknown := sorted(set(given) - set(names)):
            raise ConfigError(
                f"validation_speakers: there are no clips of {', '.join(unknown)}",
                f"There are clips of {', '.join(names)}",
            )
        return sorted(set(given))
    if given >= len(names):
        raise ConfigError(
            f"validation_speakers={given} leaves none of {len(names)} people for training",
            "Take fewer, or give clips of more people",
        )
    drawn = np.random.default_rng(options.seed).permutation(len(names))[:given]
    return sorted(names[k] for k in drawn)


def _card(options: DialoguesOptions, people: Mapping[str, Sequence[Path]]) -> str:
    """The text of the card: what the dialogues are, with the options and the clips."""
    values = asdict(options)
    for name in ("output", "quiet"):
        del values[name]
    try:
        clips = {
            name: {clip.name: digest_of(clip) for clip in those} for name, those in people.items()
        }
    except OSError as error:
        raise InputError(
            f"A clip cannot be read: {error.strerror or error}", "Check the folder of the clips"
        ) from error
    text = json.dumps({**values, "people": clips}, indent=1, ensure_ascii=False)
    return _WHAT.format(version=__version__, people=len(people), options=text)


def _check_folder(folder: Path, card: str) -> None:
    """Check that a folder has no dialogues of other options in it, nor anything else.

    Raises:
        ConfigError: It has.
    """
    remove_partial(folder)
    content = list(folder.iterdir()) if folder.is_dir() else []
    if all(is_litter(path) or path.name == CARD for path in content):
        return
    try:
        known = (folder / CARD).read_text("utf-8") == card
    except (OSError, UnicodeDecodeError):
        known = False
    if not known:
        raise ConfigError(
            f"{folder} holds something other than dialogues of these clips and options",
            "Name another folder: output=FOLDER",
        )

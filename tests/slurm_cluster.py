"""A real Slurm of one node on this machine: munged, slurmctld and slurmd in one temporary folder.

The system's own munge and Slurm are neither used nor touched, root is not needed, and everything
ends with the block. To try something by hand: `python tests/slurm_cluster.py bash`.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from getpass import getuser
from pathlib import Path
from tempfile import TemporaryDirectory

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "srun", "scancel", "scontrol", "squeue")
_PATH = os.pathsep.join([os.environ["PATH"], "/usr/sbin", "/sbin"])

# Neither cgroups nor accounting: a container has none. The node claims more than there is, so
# that several jobs run at once; cred_expire is also how long a requeued job waits.
_SETTINGS = """\
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket={folder}/munge.socket,cred_expire=5
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
MailProg=/bin/true
MpiDefault=none
ProctrackType=proctrack/pgid
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerParameters=batch_sched_delay=1,sched_interval=1
SlurmdParameters=config_overrides
ReturnToService=2
KillWait=2
GresTypes=gpu
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory=64000 Gres=gpu:{cpus}
PartitionName=main Nodes={host} Default=YES
"""


def missing() -> list[str]:
    """The programs of Slurm and munge that are not installed here."""
    return [name for name in PROGRAMS if shutil.which(name, path=_PATH) is None]


@contextmanager
def cluster(cpus: int = 4) -> Iterator[dict[str, str]]:
    """Run a cluster for as long as the block lasts.

    Args:
        cpus: CPUs, and also GPUs, that its node claims to have.

    Yields:
        The environment in which sbatch and its like reach it.

    Raises:
        RuntimeError: It did not start; the message holds the logs.
    """
    # Not in pytest's folder: the path of a socket has room for 107 characters.
    with TemporaryDirectory(prefix="slurm-") as name, ExitStack() as daemons:
        folder = Path(name)
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("SLURM", "SBATCH"))}
        environment |= {"PATH": _PATH, "SLURM_CONF": str(folder / "slurm.conf")}
        _write_settings(folder, cpus)
        started: list[subprocess.Popen[bytes]] = []

        def start(*command: str) -> None:
            with (folder / f"{command[0]}.log").open("wb") as log:
                daemon = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
            started.append(daemons.enter_context(daemon))

        def wait(ready: Callable[[], bool]) -> None:
            until = time.monotonic() + 60
            while not ready():
                if time.monotonic() > until or any(d.poll() is not None for d in started):
                    logs = [log.read_text(errors="replace") for log in folder.glob("*.log")]
                    raise RuntimeError("\n".join(["The cluster did not start", *logs]))
                time.sleep(0.1)

        def idle() -> bool:
            command = ["sinfo", "--noheader", "--format=%T"]
            asked = subprocess.run(
                command, env=environment, capture_output=True, text=True, check=False
            )
            return asked.stdout.strip() == "idle"

        try:
            munge = [f"--{key}-file={folder}/munge.{key}" for key in ("key", "pid", "seed")]
            start("munged", "--foreground", "--force", f"--socket={folder}/munge.socket", *munge)
            wait((folder / "munge.socket").exists)
            start("slurmctld", "-D", "-i")
            start("slurmd", "-D")
            wait(idle)
            yield environment
        finally:
            _end_all(f"SLURM_CONF={environment['SLURM_CONF']}".encode())


def _write_settings(folder: Path, cpus: int) -> None:
    with closing(socket.socket()) as one, closing(socket.socket()) as other:
        for free in (one, other):
            free.bind(("127.0.0.1", 0))
        ports = [free.getsockname()[1] for free in (one, other)]
    host = socket.gethostname().partition(".")[0]
    text = _SETTINGS.format(folder=folder, ports=ports, host=host, user=getuser(), cpus=cpus)
    (folder / "slurm.conf").write_text(text)
    # Of no use here, but slurmd loads one, and that of version 2 asks for systemd.
    (folder / "cgroup.conf").write_text("CgroupPlugin=cgroup/v1\n")
    (folder / "gres.conf").write_text(f"Name=gpu File={folder}/gpu[0-{cpus - 1}]\n")
    for number in range(cpus):
        (folder / f"gpu{number}").touch()
    key = folder / "munge.key"
    key.touch(mode=0o600)
    key.write_bytes(secrets.token_bytes(128))
    for name in ("state", "spool"):
        (folder / name).mkdir()


def _end_all(variable: bytes) -> None:
    """Kill all that runs with this variable: daemons, and jobs, which are no children of ours."""
    while True:
        found = False
        for process in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):  # of another user, or just over
                if variable in (process / "environ").read_bytes().split(b"\0"):
                    os.kill(int(process.name), signal.SIGKILL)
                    found = True
        if not found:
            return
        time.sleep(0.1)


if __name__ == "__main__":
    with cluster() as _environment:
        sys.exit(subprocess.run(sys.argv[1:], env=_environment, check=False).returncode)

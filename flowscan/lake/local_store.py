"""A lake's files in a folder of a POSIX file system.

Invariant: a file and its folder are fsynced before anything relies on them, `link` decides who
creates a key, no symbolic link is followed below the root, and nobody but the owner can read
what is written (files 0600, folders 0700). The root itself may be a link: it is the user's word.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import functools
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from flowscan.errors import LakeError
from flowscan.lake import layout
from flowscan.lake.local_file import DurableFile, FileClaim
from flowscan.lake.store import Claim, Entry, Fault, Sink

P = ParamSpec("P")
T = TypeVar("T")


def _no_fault(operation: str, key: str) -> None:
    return


def _told(method: Callable[P, T]) -> Callable[P, T]:
    """Tell an error of the file system in one line; an absent file stays what it is."""

    @functools.wraps(method)
    def telling(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return method(*args, **kwargs)
        except FileNotFoundError:
            raise
        except OSError as error:
            store, key = args[0], args[1]
            where = f"{getattr(store, 'where', '')}/{key}"
            raise LakeError(error.strerror or str(error), where=where) from error

    return telling


class LocalStore:
    """A lake's files in a folder of a POSIX file system with hard links and flock."""

    def __init__(self, root: Path, *, fault: Fault = _no_fault) -> None:
        """Use the folder `root`, which need not exist yet."""
        self.root = Path(os.path.realpath(root))
        self.where = str(root)
        self.fault = fault

    # -- opening ---------------------------------------------------------------------------

    def prepare(self) -> None:
        """Create the root and check that nobody else can change it.

        Raises:
            LakeError: it is no folder, or others can write in it and own it.
        """
        if not self.root.exists():
            try:
                self.fault("mkdir", "")
                self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
            except OSError as error:
                raise LakeError(error.strerror or str(error), where=self.where) from error
        self.check()

    def check(self) -> None:
        """Refuse a root that is no folder, or that another user owns and others may change."""
        info = self.root.stat()
        if not stat.S_ISDIR(info.st_mode):
            raise LakeError("not a folder", where=self.where)
        if info.st_uid not in {os.geteuid(), 0} and info.st_mode & 0o022:
            raise LakeError(
                "the folder belongs to another user and others can write in it",
                where=self.where,
                hint="use a folder of your own",
            )

    def empty(self) -> bool:
        """Tell whether the root has nothing but what an interrupted creation left."""
        if self.root.exists() and not self.root.is_dir():
            raise LakeError("not a folder", where=self.where)
        return not self.root.exists() or {p.name for p in self.root.iterdir()} <= {"_flowscan"}

    # -- names to descriptors --------------------------------------------------------------

    @contextlib.contextmanager
    def _folder(self, pieces: tuple[str, ...], *, create: bool = False) -> Iterator[int]:
        """Descriptor of a folder, reached without following a link below the root."""
        flags = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
        fd = os.open(self.root, flags)
        try:
            for i, piece in enumerate(pieces):
                try:
                    below = os.open(piece, flags | os.O_NOFOLLOW, dir_fd=fd)
                except FileNotFoundError:
                    if not create:
                        raise
                    self._mkdir(piece, fd, "/".join(pieces[: i + 1]))
                    below = os.open(piece, flags | os.O_NOFOLLOW, dir_fd=fd)
                except OSError as error:
                    raise self._refuse_link(error, "/".join(pieces[: i + 1])) from error
                os.close(fd)
                fd = below
            yield fd
        finally:
            os.close(fd)

    def _mkdir(self, name: str, fd: int, key: str) -> None:
        self.fault("mkdir", key)
        with contextlib.suppress(FileExistsError):
            os.mkdir(name, 0o700, dir_fd=fd)
        self._fsync(fd, key)

    def _refuse_link(self, error: OSError, key: str) -> Exception:
        if error.errno in {errno.ELOOP, errno.ENOTDIR, errno.EMLINK}:
            return LakeError(
                "a symbolic link or a file stands where the lake has a folder or a file",
                where=str(self.root / key),
                hint="remove it",
            )
        return error

    def _fsync(self, fd: int, key: str) -> None:
        self.fault("fsync", key)
        os.fsync(fd)

    @contextlib.contextmanager
    def _parent(self, key: str, *, create: bool = False) -> Iterator[tuple[int, str]]:
        *folder, name = layout.check_key(key)
        with self._folder(tuple(folder), create=create) as fd:
            yield fd, name

    # -- reading ---------------------------------------------------------------------------

    def read(self, key: str, start: int = 0, length: int | None = None) -> bytes:
        """Read bytes of a file (`FileNotFoundError` when it is absent)."""
        with self.reader(key) as stream:
            stream.seek(start)
            return bytes(stream.read(-1 if length is None else length))

    @_told
    def reader(self, key: str) -> Any:
        """Open a file for reading at any position."""
        self.fault("read", key)
        with self._parent(key) as (fd, name):
            try:
                file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=fd)
            except FileNotFoundError:
                raise
            except OSError as error:
                raise self._refuse_link(error, key) from error
        return os.fdopen(file, "rb")

    def read_run(self, keys: Iterable[str]) -> list[bytes]:
        """Read files in order until the first absent one."""
        found = []
        for key in keys:
            try:
                found.append(self.read(key))
            except FileNotFoundError:
                break
        return found

    @_told
    def size(self, key: str) -> int | None:
        """Size of a file in bytes; None when it is absent."""
        try:
            with self._parent(key) as (fd, name):
                return os.stat(name, dir_fd=fd, follow_symlinks=False).st_size
        except FileNotFoundError:
            return None

    def exists(self, key: str) -> bool:
        """Tell whether anything stands at a key that `walk` gave, even a strange name."""
        return os.path.lexists(self.root / key)

    def walk(self, prefix: str) -> Iterator[Entry]:
        """All files below a folder; links and folders with strange names as they stand."""
        try:
            with self._folder(layout.check_key(prefix)) as fd, os.scandir(fd) as entries:
                found = [(e.name, e.is_dir(follow_symlinks=False), e) for e in entries]
                inside = [name for name, folder, _ in found if folder and layout.is_piece(name)]
                for name, _, entry in found:
                    if name in inside:
                        continue
                    with contextlib.suppress(FileNotFoundError):
                        info = entry.stat(follow_symlinks=False)
                        yield Entry(f"{prefix}/{name}", info.st_size, info.st_mtime)
        except FileNotFoundError:
            return
        for name in inside:
            yield from self.walk(f"{prefix}/{name}")

    @_told
    def folders(self, prefix: str) -> list[str]:
        """Names of the folders directly in a folder."""
        try:
            with self._folder(layout.check_key(prefix)) as fd, os.scandir(fd) as entries:
                return sorted(e.name for e in entries if e.is_dir(follow_symlinks=False))
        except FileNotFoundError:
            return []

    def address(self, key: str) -> str:
        """Absolute path of a key."""
        layout.check_key(key)
        return str(self.root / key)

    def filesystem(self) -> Any:
        """None: any tool reads local paths."""
        return None

    # -- writing ---------------------------------------------------------------------------

    def _write(self, key: str, data: bytes) -> None:
        file = self.writer(key)
        try:
            file.write(data)
        except BaseException:
            file.discard()
            raise
        file.close()

    @_told
    def create(self, key: str, data: bytes) -> bool:
        """Create the file, durably, unless it exists; True when this call created it.

        The content is written and fsynced under another name first, so that a crash never
        leaves half a file under `key`; `link` then decides between two writers.
        """
        temporary = layout.temporary_key()
        self._write(temporary, data)
        try:
            with self._parent(temporary) as (fd, name), self._parent(key, create=True) as (to, new):
                self.fault("link", key)
                try:
                    os.link(name, new, src_dir_fd=fd, dst_dir_fd=to, follow_symlinks=False)
                except FileExistsError:
                    return False
                except OSError as error:
                    if error.errno in {errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS}:
                        raise LakeError(
                            "this file system has no hard links", where=self.where
                        ) from error
                    raise
                self._fsync(to, key)
                return True
        finally:
            self.delete(temporary)

    @_told
    def put(self, key: str, data: bytes) -> None:
        """Create or replace the file as a whole."""
        temporary = layout.temporary_key()
        self._write(temporary, data)
        self.move(temporary, key)

    @_told
    def writer(self, key: str) -> Sink:
        """Open a new file for writing; closing it makes its content durable."""
        self.fault("open", key)
        with self._parent(key, create=True) as (fd, name):
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            file = os.open(name, flags, 0o600, dir_fd=fd)
        return DurableFile(file, key, self.fault)

    @_told
    def seal(self, batch: str) -> None:
        """Make the names in the staging folder of a batch durable."""
        key = layout.stage_folder(batch)
        with contextlib.suppress(FileNotFoundError), self._folder(layout.check_key(key)) as fd:
            self._fsync(fd, key)

    @_told
    def move(self, source: str, target: str) -> bool:
        """Rename a file, durably; False when the source is absent."""
        try:
            with (
                self._parent(source) as (fd, name),
                self._parent(target, create=True) as (to, new),
            ):
                self.fault("rename", target)
                os.rename(name, new, src_dir_fd=fd, dst_dir_fd=to)
                self._fsync(to, target)
        except FileNotFoundError:
            return False
        return True

    @_told
    def retire(self, source: str, target: str) -> bool:
        """Move a file and set its time of change to now."""
        self.fault("utime", source)
        with contextlib.suppress(FileNotFoundError), self._parent(source) as (fd, name):
            os.utime(name, dir_fd=fd, follow_symlinks=False)
        return self.move(source, target)

    @_told
    def delete(self, key: str) -> None:
        """Delete a file; an absent one is fine."""
        self.fault("unlink", key)
        with contextlib.suppress(FileNotFoundError), self._parent(key) as (fd, name):
            os.unlink(name, dir_fd=fd)

    # -- staging ---------------------------------------------------------------------------

    @_told
    def claim(self, batch: str) -> Claim:
        """Take hold of the staging folder of a new batch with a lock that dies with us."""
        folder = layout.stage_folder(batch)
        self.fault("lock", folder)
        with self._parent(f"{folder}.lock", create=True) as (fd, name):
            claim = FileClaim(fd, name)
        with self._folder(layout.check_key(folder), create=True):
            return claim

    @_told
    def collect(self, batch: str) -> bool:
        """Delete the staging of a batch unless a living writer holds its lock.

        The lock is held while deleting, so that a writer just starting waits and starts anew.
        """
        try:
            with self._parent(f"{layout.stage_folder(batch)}.lock") as (fd, name):
                lock = os.open(name, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=fd)
        except FileNotFoundError:
            self.drop_stage(batch)
            return True
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self.drop_stage(batch)
        except BlockingIOError:
            return False
        finally:
            os.close(lock)
        return True

    @_told
    def drop_stage(self, batch: str) -> None:
        """Delete the staging folder of a batch, all in it, and its lock."""
        folder = layout.stage_folder(batch)
        for entry in list(self.walk(folder)):
            self.delete(entry.key)
        with contextlib.suppress(FileNotFoundError), self._parent(folder) as (fd, name):
            self.fault("rmdir", folder)
            os.rmdir(name, dir_fd=fd)
        self.delete(f"{folder}.lock")

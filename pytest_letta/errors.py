"""The error tree: every error that this package raises on purpose.

::

    PytestLettaError
    ├── SettingsError       a setting is wrong; pytest ends with exit code 4
    │   ├── ComposeFileError    a compose file cannot be read, or not be copied in isolation
    │   └── MissingExtraError   a feature needs an optional extra that is not installed
    ├── TargetError         what answers at the URL cannot be tested as a Letta server
    ├── StackError          a stack of ours could not do what it was asked
    │   ├── CacheError          the cache folder cannot be used
    │   ├── EngineError         no container engine can be used
    │   ├── ImageError          an image is neither on the machine nor to be had
    │   ├── ServiceError        a service did not start, did not stop or died
    │   └── PortTakenError      somebody bound the port between choosing and binding
    ├── ReadOnlyError       a request that may change something, in a run that only reads
    ├── SdkError            the official client raised an error, or did not come back
    ├── StreamError         a byte stream breaks the event-stream grammar or a bound
    └── ModelError          the scripted model was asked for something it cannot do

Messages say what is wrong, the value and where it came from, what is allowed, and what to do.
"""

from __future__ import annotations


class PytestLettaError(Exception):
    """Root of the tree."""


class SettingsError(PytestLettaError):
    """A setting is wrong."""


class ComposeFileError(SettingsError):
    """A compose file cannot be read, or what it describes cannot be made private; says the line."""


class MissingExtraError(SettingsError):
    """A feature needs packages of an extra that is not installed."""

    @classmethod
    def of(cls, extra: str, feature: str, missing: str) -> MissingExtraError:
        """Name the feature, the module that is missing and the command that installs it."""
        return cls(f"{feature} needs {missing}, which is not installed: pip install 'pytest-letta[{extra}]'")


class TargetError(PytestLettaError):
    """What answers at the URL cannot be tested as a Letta server."""


class StackError(PytestLettaError):
    """A stack of ours could not do what it was asked."""


class CacheError(StackError):
    """The cache folder cannot be written, or its disk is full."""


class EngineError(StackError):
    """No container engine can be used: none is there, it refuses this user, or it cannot do what is needed."""


class ImageError(StackError):
    """A container image is not on the machine, and no registry gives it."""


class ServiceError(StackError):
    """A service did not start, did not stop in time or died; the message ends with its last log lines."""


class PortTakenError(StackError):
    """Somebody bound the port between choosing and binding."""


class ReadOnlyError(PytestLettaError):
    """A request that may change something was not sent, because the run only reads."""


class SdkError(PytestLettaError):
    """The official client raised an error where none was expected, did not come back, or ended."""


class StreamError(PytestLettaError):
    """A byte stream breaks the event-stream grammar, or exceeds a bound that the reader was given."""


class ModelError(PytestLettaError):
    """The scripted model was asked for something it cannot do."""

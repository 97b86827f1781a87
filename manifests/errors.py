"""Every failure a user can cause or meet, as one family.

    OctoError                     an explained failure: the command prints it and exits 1
    ├── ManifestError             a manifest is wrong (all its mistakes at once)
    ├── IdentityError             name@version exists already with another fingerprint
    ├── NotFound                  a corpus, mixture, run, file or record that does not exist
    ├── InputError                a WARC, Parquet, JSONL, tokenizer or model file is unusable
    ├── BuildError                a curation build stopped; what was finished is kept
    │   └── AccountingError       in != kept + removed + failed: records would be lost silently
    ├── ClassifierError           a classifier cannot be trained, loaded or trusted
    ├── MixtureError              a mixture cannot be planned, tokenised or proved
    ├── TrainingError             a run cannot be planned, started or resumed
    ├── CatalogError              the catalog cannot be opened, read or written
    │   └── QueryError            SQL that is wrong or not allowed
    └── MissingExtra              an optional library is not installed

Messages read `where: what is wrong, with the value; what was expected. What to do next.` Each error is built from that
one string, so it survives pickling between worker processes.
"""


class OctoError(Exception):
    """An explained failure. `str()` is the whole message, ready to print."""


class ManifestError(OctoError):
    """One or more mistakes in one or more manifests; the message lists every one with its file and line."""


class IdentityError(OctoError):
    """The same name@version was used for something else before."""


class NotFound(OctoError):
    """Something the user named does not exist."""


class InputError(OctoError):
    """A file given as input cannot be used at all (single bad records get a fate instead)."""


class BuildError(OctoError):
    """A curation build stopped before it was finished."""


class AccountingError(BuildError):
    """The fates of a stage do not add up to its input."""


class ClassifierError(OctoError):
    """A classifier cannot be trained, loaded or trusted."""


class MixtureError(OctoError):
    """A mixture cannot be planned, tokenised or proved."""


class TrainingError(OctoError):
    """A training run cannot be planned, started or resumed."""


class CatalogError(OctoError):
    """The catalog cannot be opened, read or written."""


class QueryError(CatalogError):
    """SQL that is wrong or not allowed."""


class MissingExtra(OctoError):
    """An optional library is needed and not installed."""

"""The outcome of predicting a file, as the page shows it."""

from collections import Counter
from dataclasses import dataclass, field

from local_test.app.class_labels import ClassLabels
from local_test.app.endpoints.endpoint import Exchange
from local_test.app.file.bad_rows import BadRow
from local_test.app.file.histogram import Distribution


@dataclass(slots=True)
class FileResult:
    """The outcome of a file; ``exchange`` is the last successful request.

    ``row_count`` counts the rows with predictions, ``class_counts`` those of each class.
    """

    added_columns: list[str] = field(default_factory=list)
    row_count: int = 0
    bad_rows: list[BadRow] = field(default_factory=list)
    distribution: Distribution = field(default_factory=Distribution)
    exchange: Exchange | None = None
    class_labels: ClassLabels | None = None
    class_counts: Counter[str] = field(default_factory=Counter)
    warning: str = ""

    @property
    def charted_class(self) -> str:
        """Return the class whose probability is in the last column, or an empty string."""
        labels = self.class_labels
        if labels is None:
            return ""
        has_probability = labels.score_is_probability or len(self.added_columns) > 2
        return labels.labels[-1] if has_probability else ""

"""How likely is it that two Patients are one person? Names, dates, numbers compared, and a table of what each is worth.

`score` compares two; `keys` says by what candidates are found. The table stands in `scoring`.
"""

from domain.matching.keys import name_keys, phone_keys
from domain.matching.scoring import Grade, Score, score

__all__ = ["Grade", "Score", "name_keys", "phone_keys", "score"]

"""What findings say, in English and Korean. The braces are filled in by `rules.findings.finding`."""

from __future__ import annotations

from typing import Final

SENTENCES: Final[dict[str, tuple[str, str]]] = {
    # the document
    "not-json": ("This is not a JSON value that can be kept.", "JSON 값으로 저장할 수 없습니다."),
    "unreadable": ("The file is not JSON: {detail}.", "파일이 JSON이 아닙니다: {detail}."),
    "not-a-document": ("A rule is a JSON object.", "규칙은 JSON 객체여야 합니다."),
    "malformed": ("The document is not well formed: {detail}", "문서 형식이 올바르지 않습니다: {detail}"),
    "too-deep": ("Nested deeper than {limit} levels.", "중첩이 {limit}단계를 넘습니다."),
    "too-many-nodes": ("The logic has more than {limit} values.", "논리에 값이 {limit}개보다 많습니다."),
    "too-many-rows": ("The table has more than {limit} rows.", "표의 행이 {limit}개보다 많습니다."),
    "too-large": ("The document is larger than {limit} KB.", "문서가 {limit} KB보다 큽니다."),
    "form-differs": (
        "The logic is not what the {form_en} compiles to.",
        "논리가 {form_ko}에서 만들어지는 것과 다릅니다.",
    ),
    # its members
    "member-missing": ("{name} is missing.", "{name} 항목이 없습니다."),
    "member-unknown": ("There is no member {name} here.", "여기에는 {name} 항목을 둘 수 없습니다."),
    "member-choice": ("Expected here is one of: {expected}.", "다음 중 하나여야 합니다: {expected}."),
    "member-pattern": ("Expected here: {expected_en}.", "형식이 맞지 않습니다. 이렇게 적습니다: {expected_ko}."),
    "member-date": ("A date is written as 2027-01-31.", "날짜는 2027-01-31처럼 적습니다."),
    "member-instant": (
        "An instant is written with its offset, as 2027-01-31T09:00:00+09:00.",
        "시각은 2027-01-31T09:00:00+09:00처럼 시차와 함께 적습니다.",
    ),
    "member-kind": ("Nothing of this kind may stand here.", "여기에 쓸 수 없는 종류의 값입니다."),
    "wrong-kind": ("Expected here: {expected_en}.", "여기에는 {expected_ko}을(를) 적습니다."),
    "too-few": ("At least {limit} is needed here.", "{limit}개 이상 있어야 합니다."),
    "text-empty": ("This text is empty.", "내용이 비어 있습니다."),
    "text-too-long": ("This text is longer than {limit} letters.", "{limit}자를 넘습니다."),
    "instant-years": (
        "An instant lies between the years {first} and {last}.",
        "시각은 {first}년과 {last}년 사이여야 합니다.",
    ),
    "ends-early": ("It ends before it begins.", "끝나는 시각이 시작 시각보다 늦어야 합니다."),
    "scope-place": (
        "A scope narrower than national names its place.",
        "전국보다 좁은 적용 범위에는 어느 곳인지 적어야 합니다.",
    ),
    "scope-hospital": (
        "A hospital's rule names the hospital by its code, as hanbit.",
        "병원 규칙에는 hanbit 같은 병원 코드를 적습니다.",
    ),
    "scope-department": (
        "A department's rule names it as hospital/id of its place, as hanbit/ward-7.",
        "부서 규칙에는 hanbit/ward-7처럼 병원 코드와 장소 번호를 적습니다.",
    ),
    "fallback-unknown": (
        "The fallback {outcome} is not in the outcome table.",
        "대체 결과 {outcome}이(가) 결과표에 없습니다.",
    ),
    "fact-twice": ("A fact is listed twice.", "같은 사실이 목록에 두 번 있습니다."),
    "two-forms": (
        "A rule is edited as a table or as a tree, not as both.",
        "규칙은 표와 조건 나무 중 하나로만 편집합니다.",
    ),
    "test-outcome": (
        "The test {name} expects an outcome that is not in the outcome table.",
        "시험 {name}의 기대 결과가 결과표에 없습니다.",
    ),
    "test-twice": ("Two tests have the same name.", "이름이 같은 시험이 둘 있습니다."),
    "cell-conditions": (
        "A cell holds one condition; what does not matter is written null.",
        "칸에는 조건이 하나만 들어갑니다. 상관없으면 null로 적습니다.",
    ),
    "cell-absent": (
        "A fact that is absent meets no other condition.",
        "값이 없다는 조건에는 다른 조건을 더할 수 없습니다.",
    ),
    "cell-bounds": ("One lower and one upper bound at most.", "아래 한계와 위 한계는 하나씩만 둘 수 있습니다."),
    "cell-empty": ("This condition names no values at all.", "조건에 값이 하나도 없습니다."),
    "condition-cell": ("A fact comes with its cell.", "사실에는 칸(cell)이 함께 있어야 합니다."),
    "condition-kind": (
        "A condition is one of: a fact with its cell, all, any, not.",
        "조건은 사실과 칸, all, any, not 중 하나여야 합니다.",
    ),
    "column-twice": ("A column stands twice.", "같은 열이 두 번 있습니다."),
    "column-unused": ("No row looks at {column}.", "{column} 열을 보는 행이 없습니다."),
    "row-cells": (
        "Row {row} has {count} cells for {columns} columns.",
        "열은 {columns}개인데 {row}행의 칸은 {count}개입니다.",
    ),
    "row-answer": (
        "Row {row} answers with something that the hit policy {hit} does not take.",
        "적중 방식 {hit}에서는 {row}행의 답을 쓸 수 없습니다.",
    ),
    "table-otherwise": (
        "The hit policy {hit} takes no such otherwise.",
        "적중 방식 {hit}에는 이런 ‘그 밖의 답’을 둘 수 없습니다.",
    ),
    "priorities-needed": (
        "Priorities belong to the hit policy priority, which needs them.",
        "우선순위는 적중 방식 priority에만 쓰며, 그때는 꼭 있어야 합니다.",
    ),
    "priority-missing": ("An outcome of a row has no priority.", "우선순위가 없는 결과가 있습니다."),
    "priority-twice": ("An outcome has two priorities.", "우선순위에 같은 결과가 두 번 있습니다."),
    # reading the logic
    "unknown-operator": ("There is no operator {operator}.{hint_en}", "{operator} 연산자는 없습니다.{hint_ko}"),
    "operator-kept-out": (
        "The operator {operator} is not allowed: {why_en}.",
        "{operator} 연산자는 쓸 수 없습니다: {why_ko}.",
    ),
    "not-one-operator": (
        "An object is one operator with its arguments; this one has {count} names.",
        "객체는 연산자 하나와 그 인수입니다. 여기에는 이름이 {count}개 있습니다.",
    ),
    "argument-count": (
        "{operator} takes {expected} arguments, not {count}.",
        "{operator}의 인수는 {expected}개여야 하는데 {count}개입니다.",
    ),
    "computed-path": (
        "Which fact is read is written down, not computed.",
        "어느 사실을 읽는지는 계산하지 않고 그대로 적어야 합니다.",
    ),
    "switch-case": ("A case is a value and its result.", "경우는 값과 그 결과의 쌍이어야 합니다."),
    "number-too-large": (
        "This number is too large to be exact.",
        "정확히 나타내기에는 너무 큰 수입니다.",
    ),
    # facts
    "unknown-fact": ("There is no fact {name}.{hint_en}", "{name}(이)라는 사실은 없습니다.{hint_ko}"),
    "fact-not-supplied": (
        "The decision point does not supply {name}.{hint_en}",
        "이 결정 지점은 {name} 사실을 주지 않습니다.{hint_ko}",
    ),
    "unknown-element": (
        "An element of the list has no {name}.{hint_en}",
        "목록의 항목에 {name}(이)가 없습니다.{hint_ko}",
    ),
    "whole-facts": ("A rule reads named facts, not all of them.", "규칙은 이름을 적은 사실만 읽습니다."),
    "default-not-allowed": (
        "{fact} may not have a default: without it the decision goes to a person.",
        "{fact}에는 기본값을 둘 수 없습니다. 값이 없으면 사람이 결정합니다.",
    ),
    "fact-not-listed": ("The rule reads {name} and does not list it.", "{name}을(를) 읽지만 목록에 없습니다."),
    "fact-not-read": ("{name} is listed and never read.", "{name}이(가) 목록에 있지만 읽지 않습니다."),
    # types
    "wrong-type": ("This is {given_en}; {expected_en} is needed.", "{given_ko}입니다. {expected_ko}이(가) 필요합니다."),
    "types-differ": (
        "{given_en} is compared with {expected_en}.",
        "{given_ko}을(를) {expected_ko}와(과) 비교합니다.",
    ),
    "units-differ": (
        "{given_en} meets {expected_en}: the units differ.",
        "{given_ko}와(과) {expected_ko}의 단위가 다릅니다.",
    ),
    "systems-differ": ("Codes of {left} meet codes of {right}.", "{left} 코드와 {right} 코드를 비교합니다."),
    "branches-differ": (
        "One side is {given_en}, the other {expected_en}.",
        "한쪽은 {given_ko}, 다른 쪽은 {expected_ko}입니다.",
    ),
    "mixed-list": ("The list mixes kinds of values.", "목록에 서로 다른 종류의 값이 섞여 있습니다."),
    "not-a-list": ("This is {given_en}, not a list.", "{given_ko}입니다. 목록이 아닙니다."),
    "not-ordered": ("{given_en} is neither less nor more.", "{given_ko}은(는) 크기를 비교할 수 없습니다."),
    "not-comparable": ("{given_en} cannot be compared.", "{given_ko}은(는) 비교할 수 없습니다."),
    "computed-text": (
        "Text that is put together is not compared: the engine could take it for a time.",
        "이어 붙인 글은 비교하지 않습니다. 엔진이 시간으로 볼 수 있습니다.",
    ),
    "unknown-code": ("{value} is no code of {fact}.{hint_en}", "{value}은(는) {fact}의 코드가 아닙니다.{hint_ko}"),
    "code-like-time": (
        "{value} reads as a length of time, which the engine compares by its length.",
        "{value}은(는) 시간 길이로 읽혀서, 엔진이 길이로 비교합니다.",
    ),
    "switch-literal": ("The value of a case is written down.", "경우의 값은 그대로 적어야 합니다."),
    "date-format": ("The only format is {expected}.", "형식은 {expected}만 쓸 수 있습니다."),
    "date-unit": ("The unit is one of {expected}.", "단위는 {expected} 중 하나입니다."),
    "not-a-date": ("{value} is no date, such as 2026-01-31.", "{value}은(는) 2026-01-31 같은 날짜가 아닙니다."),
    "not-an-instant": (
        "{value} is no instant in UTC, such as 2026-01-31T03:00:00Z.",
        "{value}은(는) 2026-01-31T03:00:00Z 같은 UTC 시각이 아닙니다.",
    ),
    # answers
    "unknown-point": ("There is no decision point {name}.{hint_en}", "{name} 결정 지점은 없습니다.{hint_ko}"),
    "outcome-unknown": (
        "{outcome} is not in the outcome table.{hint_en}",
        "{outcome}이(가) 결과표에 없습니다.{hint_ko}",
    ),
    "outcome-computed": (
        "An outcome is written down, so that the outcome table can be checked.",
        "결과는 그대로 적어야 결과표와 맞춰 볼 수 있습니다.",
    ),
    "outcome-shape": (
        "The rule answers with {given_en}; the decision point asks for {expected_en}.",
        "규칙의 답은 {given_ko}이고, 결정 지점은 {expected_ko}을(를) 묻습니다.",
    ),
    "outcome-reserved": (
        "No outcome is named {outcome}: it is what a table says when it has no answer.",
        "{outcome}은(는) 결과 이름으로 쓸 수 없습니다. 표에 답이 없음을 뜻하는 말입니다.",
    ),
    "outcome-unused": ("No branch leads to {outcome}.", "{outcome}(으)로 가는 길이 없습니다."),
    "value-missing": ("The outcome lacks {name}.", "결과에 {name}이(가) 없습니다."),
    "value-unknown": ("The process does not read {name}.{hint_en}", "프로세스는 {name}을(를) 읽지 않습니다.{hint_ko}"),
    "value-type": ("{name} must be {expected}.", "{name}은(는) {expected}이어야 합니다."),
    "fallback-differs": (
        "The decision point falls back to {expected}: every rule of it has that outcome, and names it.",
        "이 결정 지점의 대체 결과는 {expected}입니다. 모든 규칙이 그 결과를 두어야 합니다.",
    ),
    "fallback-weaker": (
        "The fallback's {name} is {expected}, and a rule may not change it.",
        "대체 결과의 {name}은(는) {expected}이며, 규칙이 바꿀 수 없습니다.",
    ),
    "fallback-untested": (
        "No attached test leaves the decision open, so the fallback is not shown.",
        "판정하지 못하는 시험이 없어 대체 결과를 확인할 수 없습니다.",
    ),
    # paths through the rule
    "never-true": ("This condition is never met here.", "이 조건은 여기서 충족될 수 없습니다."),
    "always-true": (
        "This condition is always met here: what follows is never reached.",
        "이 조건은 여기서 항상 충족되어, 그 뒤로는 가지 않습니다.",
    ),
    "row-gap": ("No row answers for {example}.", "{example}에 답하는 행이 없습니다."),
    "rows-overlap": (
        "Rows {first} and {second} both match {example}.",
        "{first}행과 {second}행이 모두 {example}에 맞습니다.",
    ),
    "rows-disagree": (
        "Rows {first} and {second} match {example} and answer differently.",
        "{first}행과 {second}행이 {example}에 맞지만 답이 다릅니다.",
    ),
    "row-shadowed": (
        "Row {row} never answers: earlier rows match first, for example {example}.",
        "{row}행은 답할 일이 없습니다. 앞 행이 먼저 맞습니다(예: {example}).",
    ),
    "row-impossible": ("Row {row} can match nothing.", "{row}행에 맞는 것이 없습니다."),
    "table-too-wide": (
        "Only a part of the table was examined for gaps and overlaps: {covered} combinations of columns.",
        "빈틈과 겹침은 일부만 살폈습니다: 열 조합 {covered}가지.",
    ),
    "column-not-examined": (
        "The codes of {fact} combine in too many ways: only the shortest lists were tried, and a gap or an overlap may "
        "not be examined.",
        "{fact}의 코드 조합이 너무 많아 짧은 목록만 시험했습니다. 살피지 못한 빈틈이나 겹침이 있을 수 있습니다.",
    ),
    # proof
    "test-fails": (
        "The test {name} expects {expected} and gets {given}.",
        "시험 {name}의 기대 결과는 {expected}인데 {given}입니다.",
    ),
    "tests-too-costly": (
        "Only the first {count} tests were run: all of them take more than {limit} steps.",
        "처음 {count}개 시험만 실행했습니다. 전체 시험이 {limit}단계를 넘습니다.",
    ),
    "test-fact": (
        "The test {name} supplies {fact}, which is not what the dictionary declares.",
        "시험 {name}의 {fact} 값이 사전의 정의와 다릅니다.",
    ),
    "branch-untested": (
        "No passing test takes the side where this condition {side_en}.",
        "이 조건이 {side_ko} 쪽을 지나는 통과한 시험이 없습니다.",
    ),
    "row-untested": ("No test is answered by row {row}.", "{row}행이 답하는 시험이 없습니다."),
}

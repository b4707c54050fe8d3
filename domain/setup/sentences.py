"""What is said of each gap, in both languages, which process it concerns, and where it is mended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Told:
    """`page`: where it is mended. `{entries}` and `{count}` are filled in."""

    process: str
    stops: bool
    page: str
    en: str
    ko: str


GAPS: Mapping[str, Told] = {
    "hospital-not-described": Told(
        "set-up", True, "/setup/hospital", "The hospital itself is not described.", "병원 기본정보가 없습니다."
    ),
    "no-agency-number": Told(
        "claims",
        True,
        "/setup/hospital",
        "The number by which agencies know the hospital is missing.",
        "요양기관기호가 없습니다.",
    ),
    "no-department": Told("visit", True, "/setup/department", "There is no department.", "진료과가 없습니다."),
    "department-without-agency-code": Told(
        "claims",
        False,
        "/setup/department",
        "{count} departments have no agency code: {entries}.",
        "진료과목코드가 없는 진료과가 {count}개 있습니다: {entries}.",
    ),
    "no-ward": Told("admission", True, "/setup/place", "There is no ward in use.", "운영 중인 병동이 없습니다."),
    "ward-without-bed": Told(
        "admission",
        True,
        "/setup/place",
        "{count} wards have no bed in use: {entries}.",
        "사용할 수 있는 병상이 없는 병동이 {count}개 있습니다: {entries}.",
    ),
    "bed-outside-ward": Told(
        "admission",
        False,
        "/setup/place",
        "{count} beds stand in no ward: {entries}.",
        "병동에 속하지 않은 병상이 {count}개 있습니다: {entries}.",
    ),
    "bed-in-closed-ward": Told(
        "admission",
        False,
        "/setup/place",
        "{count} beds in use stand in a ward that is closed: {entries}.",
        "닫힌 병동에 사용 중인 병상이 {count}개 있습니다: {entries}.",
    ),
    "ward-without-department": Told(
        "admission",
        False,
        "/setup/place",
        "{count} wards name no department: {entries}.",
        "진료과가 지정되지 않은 병동이 {count}개 있습니다: {entries}.",
    ),
    "place-of-ended-department": Told(
        "admission",
        False,
        "/setup/place",
        "{count} places name a department that has ended: {entries}.",
        "종료된 진료과에 연결된 장소가 {count}개 있습니다: {entries}.",
    ),
    "place-without-whole": Told(
        "admission",
        False,
        "/setup/place",
        "{count} places are part of one that has ended: {entries}.",
        "종료된 상위 장소에 속한 장소가 {count}개 있습니다: {entries}.",
    ),
    "no-room": Told("visit", True, "/setup/place", "There is no room to see patients in.", "진료할 방이 없습니다."),
    "patient-in-closed-bed": Told(
        "admission",
        False,
        "/setup/place",
        "Patients lie in {count} beds that are closed: {entries}.",
        "닫힌 병상 {count}개에 환자가 있습니다: {entries}.",
    ),
    "test-without-specimen": Told(
        "orders",
        True,
        "/setup/laboratory",
        "{count} tests need a specimen that has ended: {entries}.",
        "종료된 검체를 쓰는 검사가 {count}개 있습니다: {entries}.",
    ),
    "orderable-without-price": Told(
        "claims",
        False,
        "/setup/fee",
        "{count} orderables name a fee that does not apply: {entries}.",
        "현재 적용되지 않는 수가에 연결된 처방 항목이 {count}개 있습니다: {entries}.",
    ),
    "high-alert-without-limit": Told(
        "orders",
        True,
        "/setup/medicine",
        "{count} high-alert medicines have no greatest dose: {entries}.",
        "최대용량이 없는 고위험 의약품이 {count}개 있습니다: {entries}.",
    ),
    "order-set-broken": Told(
        "orders",
        False,
        "/setup/order-set",
        "{count} order sets name something that cannot be ordered: {entries}.",
        "처방할 수 없는 항목이 든 묶음처방이 {count}개 있습니다: {entries}.",
    ),
    "no-medicine": Told("orders", False, "/setup/medicine", "The formulary is empty.", "의약품 목록이 비어 있습니다."),
    "no-diagnosis": Told("visit", True, "/setup/diagnosis", "There is no diagnosis code.", "진단 코드가 없습니다."),
    "no-consultation-fee": Told(
        "claims", True, "/setup/fee", "No fee for a consultation applies.", "적용 중인 진찰료가 없습니다."
    ),
    "no-ward-fee": Told("claims", True, "/setup/fee", "No fee for a bed applies.", "적용 중인 입원료가 없습니다."),
    "no-intake-form": Told(
        "visit", False, "/setup/form", "There is no form for a visit.", "외래 문진 서식이 없습니다."
    ),
    "no-nursing-form": Told(
        "admission", False, "/setup/form", "There is no form for an admission.", "입원 간호 서식이 없습니다."
    ),
    "no-wristband": Told(
        "admission", False, "/setup/document", "There is no template for wristbands.", "손목띠 출력 양식이 없습니다."
    ),
    "no-receipt": Told(
        "claims", False, "/setup/document", "There is no template for receipts.", "영수증 출력 양식이 없습니다."
    ),
    "no-prescription": Told(
        "orders", False, "/setup/document", "There is no template for prescriptions.", "처방전 출력 양식이 없습니다."
    ),
    "no-administrator": Told(
        "set-up", True, "/setup/people", "Nobody can administer the hospital.", "관리자 계정이 없습니다."
    ),
    "no-physician": Told("visit", True, "/setup/people", "There is no physician.", "의사 계정이 없습니다."),
    "no-reception": Told("visit", False, "/setup/people", "Nobody receives patients.", "접수를 맡을 사람이 없습니다."),
    "no-bed-manager": Told(
        "admission", True, "/setup/people", "Nobody can assign beds.", "병상을 배정할 사람이 없습니다."
    ),
    "no-nurse": Told("admission", True, "/setup/people", "There is no nurse.", "간호사 계정이 없습니다."),
    "no-technologist": Told(
        "orders", False, "/setup/people", "Nobody works in the laboratory.", "임상병리사 계정이 없습니다."
    ),
    "no-pharmacist": Told("orders", False, "/setup/people", "There is no pharmacist.", "약사 계정이 없습니다."),
    "no-second-pair-of-eyes": Told(
        "set-up",
        False,
        "/setup/people",
        "Changes wait for a second pair of eyes, and fewer than two people may approve.",
        "변경에 두 사람의 확인이 필요하지만 승인할 수 있는 사람이 둘보다 적습니다.",
    ),
}

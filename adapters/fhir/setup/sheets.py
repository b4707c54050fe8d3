"""Order sets as PlanDefinition, forms as Questionnaire.

hl7.org/fhir/R4/plandefinition.html, questionnaire.html
"""

from __future__ import annotations

from fhir.resources.R4B.plandefinition import PlanDefinition
from fhir.resources.R4B.questionnaire import Questionnaire

from adapters.fhir.elements import Json, coded
from adapters.fhir.setup.elements import extension, sound, status, translated, url
from domain.setup.sheets import Form, OrderSet, Question

_PLAN_TYPE = "http://terminology.hl7.org/CodeSystem/plan-definition-type"
_ORDERABLE = {"laboratory", "imaging"}


def order_set(code: str, content: OrderSet, *, active: bool) -> Json:
    actions = []
    for line in content.lines:
        action: Json = {"title": line.text_ko, "_title": translated(line.text_en)}
        if line.item_kind in _ORDERABLE:
            action["definitionCanonical"] = url(line.item_kind, line.item)
        else:
            action["code"] = [{"coding": [{"system": f"urn:phis:{line.item_kind}", "code": line.item}]}]
        actions.append(action)
    resource = {
        "resourceType": "PlanDefinition",
        "id": f"order-set-{code}",
        "url": url("order-set", code),
        "status": status(active=active),
        "title": content.name_ko,
        "_title": translated(content.name_en),
        "type": coded(_PLAN_TYPE, "order-set"),
        "extension": [extension("order-set-kind", valueCode=content.kind)],
        "action": actions,
    }
    return sound(PlanDefinition, resource)


def form(code: str, content: Form, *, active: bool) -> Json:
    resource = {
        "resourceType": "Questionnaire",
        "id": f"form-{code}",
        "url": url("form", code),
        "status": status(active=active),
        "title": content.name_ko,
        "_title": translated(content.name_en),
        "subjectType": ["Patient"],
        "extension": [extension("form-use", valueCode=content.use)],
        "item": [_item(code, question) for question in content.lines],
    }
    return sound(Questionnaire, resource)


def _item(form_code: str, question: Question) -> Json:
    item: Json = {
        "linkId": question.item,
        "text": question.text_ko,
        "_text": translated(question.text_en),
        "type": question.type,
        "required": question.required,
    }
    if question.choices:
        system = f"{url('form', form_code)}:{question.item}"
        item["answerOption"] = [
            {"valueCoding": {"system": system, "code": code, "display": ko, "_display": translated(en)}}
            for code, ko, en in question.choices
        ]
    return item

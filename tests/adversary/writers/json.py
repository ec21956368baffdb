"""Write application/json and application/jsonlines in every documented shape."""

import json
from collections.abc import Callable, Sequence

from tests.adversary.columns import Column
from tests.adversary.payloads import Payload
from tests.adversary.spelling import spell_json_number, spell_plainly
from tests.adversary.writers.context import Context, choose_unknown_label, is_missing

JSON, JSON_LINES = "application/json", "application/jsonlines"
BAD_LINES = ("[1,", "{}", "5", "null", '"x"', "[]", '{"unknown": 1}', "x", "")


def write_json(context: Context) -> Payload:
    """Return one document with all records."""
    shape = context.random.choice(_list_shapes(context))
    text = shape(context)
    if context.chance(0.05):
        text = f"\ufeff{text}"
    content_type = JSON if context.chance(0.8) else "application/json; charset=utf-8"
    name = shape.__name__.strip("_").replace("_", " ")
    return context.build_payload(text.encode(), content_type, f"{JSON}: {name}")


def write_json_lines(context: Context) -> Payload:
    """Return one line of JSON per record, sometimes with the media type of a document."""
    lines = _write_rows(context, _choose_row_shape(context))
    for index in context.bad_rows:
        lines[index] = context.random.choice(BAD_LINES)
    ending = context.random.choice(("\n", "\n", "\r\n"))
    end = context.random.choice(("", ending, ending, ending * 2))
    is_sent_as_json = len(lines) > 1 and not context.bad_rows and context.chance(0.1)
    content_type = JSON if is_sent_as_json else JSON_LINES
    return context.build_payload((ending.join(lines) + end).encode(), content_type, JSON_LINES)


def _list_shapes(context: Context) -> list[Callable[[Context], str]]:
    shapes: list[Callable[[Context], str]] = [
        _instances,
        _instances,
        _bare_list,
        _features,
        _data_features_values,
    ]
    if context.model.names is not None:
        shapes += [_objects, _objects, _feature_names]
    if len(context.table) == 1:
        shapes += [_single_row]
    return shapes


def _instances(context: Context) -> str:
    return _document(context, _array(context, _write_rows(context, _to_list)))


def _bare_list(context: Context) -> str:
    shape = _to_list if context.model.names is None or context.chance(0.5) else _to_object
    return _array(context, _write_rows(context, shape))


def _features(context: Context) -> str:
    return _document(context, _array(context, _write_rows(context, _to_features)))


def _data_features_values(context: Context) -> str:
    return _document(context, _array(context, _write_rows(context, _to_data)))


def _objects(context: Context) -> str:
    return _document(context, _array(context, _write_rows(context, _to_object)))


def _single_row(context: Context) -> str:
    shape = _to_list if context.model.names is None or context.chance(0.5) else _to_object
    return _write_rows(context, shape)[0]


def _feature_names(context: Context) -> str:
    order = context.shuffled_columns()
    names = context.spell_names()
    rows = [_write_named_row(context, row, order) for row in context.table]
    members = [
        f'"feature_names":{_array(context, [_string(context, names[index]) for index in order])}',
        f'"instances":{_array(context, rows)}',
    ]
    context.random.shuffle(members)
    return "{" + _comma(context).join(members) + "}"


def _write_named_row(context: Context, row: list[float], order: list[int]) -> str:
    cells = [_spell(context, index, row[index]) for index in order]
    if context.chance(0.7):
        return _array(context, cells)
    tensor = _write_tensor(context, [row[index] for index in order], cells)
    return _wrap_tensor(context, tensor)


def _document(context: Context, rows: str) -> str:
    blank = " " if context.chance(0.5) else ""
    return f'{{"instances":{blank}{rows}}}'


def _choose_row_shape(context: Context) -> Callable[[Context, list[float]], str]:
    shapes: list[Callable[[Context, list[float]], str]] = [_to_list, _to_features, _to_data]
    return context.random.choice([*shapes, _to_object] if context.model.names else shapes)


def _write_rows(context: Context, shape: Callable[[Context, list[float]], str]) -> list[str]:
    return [shape(context, row) for row in context.table]


def _to_list(context: Context, row: list[float]) -> str:
    return _array(context, [_spell(context, index, number) for index, number in enumerate(row)])


def _to_features(context: Context, row: list[float]) -> str:
    return f'{{"features": {_to_list(context, row)}}}'


def _to_data(context: Context, row: list[float]) -> str:
    """Return one of the shapes in AWS's guide."""
    cells = [_spell(context, index, number) for index, number in enumerate(row)]
    return _wrap_tensor(context, _write_tensor(context, row, cells))


def _wrap_tensor(context: Context, tensor: str) -> str:
    features = f'"features": {tensor}'
    if context.chance(0.7):
        features = f'"data": {{{features}}}'
    return f'{{"configuration": {{}}, {features}}}' if context.chance(0.1) else f"{{{features}}}"


def _write_tensor(context: Context, row: list[float], cells: list[str]) -> str:
    """Return the cells as a list, or as a dense or sparse tensor."""
    kind = context.random.choice(("list", "dense", "sparse"))
    if kind == "list":
        return _array(context, cells)
    shape = f', "shape": [{len(row)}]' if context.chance(0.5) else ""
    if kind == "dense":
        return f'{{"values": {_array(context, cells)}{shape}}}'
    keys = [index for index, number in enumerate(row) if not is_missing(number)]
    if context.chance(0.3):
        context.random.shuffle(keys)
    values = _array(context, [cells[key] for key in keys])
    return f'{{"keys": {keys}, "values": {values}{shape}}}'


def _to_object(context: Context, row: list[float]) -> str:
    names = context.spell_names()
    members = [
        f"{_string(context, names[index])}:{_spell(context, index, row[index])}"
        for index in context.shuffled_columns()
    ]
    return "{" + _comma(context).join(members) + "}"


def _array(context: Context, items: Sequence[str]) -> str:
    return f"[{_comma(context).join(items)}]"


def _comma(context: Context) -> str:
    return ", " if context.chance(0.6) else ","


def _string(context: Context, text: str) -> str:
    return json.dumps(text, ensure_ascii=context.chance(0.5))


def _spell(context: Context, index: int, number: float) -> str:
    column, random = context.columns[index], context.random
    if is_missing(number):
        return _spell_missing(context, column)
    if column.labels:
        return _string(context, column.labels[int(number)])
    if column.kind == "boolean" and context.chance(0.5):
        return "true" if number else "false"
    return spell_plainly(number) if context.chance(0.5) else spell_json_number(number, random)


def _spell_missing(context: Context, column: Column) -> str:
    label = choose_unknown_label(column, context.random)
    if label is not None:
        return label if column.kind == "code" else _string(context, label)
    return "NaN" if context.chance(0.02) else "null"

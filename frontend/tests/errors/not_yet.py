from deepslate import flow, json_marshal


@flow
async def fetch(numbers: list[int]) -> int:
    raw = json_marshal(numbers)
    return len(numbers)

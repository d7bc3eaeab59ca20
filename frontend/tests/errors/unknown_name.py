from deepslate import flow, sleep

LIMIT = 10


@flow
async def count(start: int) -> int:
    total = strat + LIMT
    slep(1.0)
    for i in rnage(3):
        total += undefined_thing
    return totl

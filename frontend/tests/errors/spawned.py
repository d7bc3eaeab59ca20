from deepslate import dpslio, flow, pure


@pure
def compute(n: int) -> int:
    return n


@flow
async def child(n: int) -> None:
    pass


@flow
async def main() -> None:
    dpslio.create_task(child)
    dpslio.create_task(compute(1))
    dpslio.create_task(child("x"))
    dpslio.create_task()

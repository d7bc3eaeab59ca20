import functools

from deepslate import flow, pure


@flwo
@flow
async def first() -> None:
    pass


@flow(name="x")
async def second() -> None:
    pass


@functools.cache
@flow
async def third() -> None:
    pass


@pure
@flow
async def fourth() -> None:
    pass


@pure(compile=False, speed=3)
def fifth() -> int:
    return 1

import deepslate
from deepslate import DSError, flow


def fetch(n: int) -> int | DSError:
    return n if n > 0 else DSError("user", "not positive")


@flow
async def unchecked() -> int:
    result = fetch(1)
    return result + 1


@flow
async def wrong_side() -> int:
    result = fetch(1)
    if not isinstance(result, int):
        return result
    return result.status


@flow
async def made(n: int) -> DSError:
    if n > 0:
        return DSError("user", "the status is a number", "0")
    return DSError("user")


@flow
async def changed(error: DSError):
    error.kind = "network"
    print(error.mesage)


@flow
async def raised(n: int):
    if n > 1:
        raise DSError("user", "no exception")
    raise deepslate.DSError


@flow
async def no_value() -> str:
    kinds = [deepslate.DSError]
    return str(kinds)

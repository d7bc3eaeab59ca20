from dataclasses import dataclass

from deepslate import flow


@dataclass
class DSError:
    code: int


@flow
async def main() -> int | DSError:
    return DSError(1)

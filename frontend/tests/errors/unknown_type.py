from datetime import datetime
from typing import Any

from deepslate import dpslio, flow, impure


class Session:
    pass


@flow
async def main(
    when: datetime,
    count: integer,
    names: list,
    table: dict[str],
    session: Session,
    queue: dpslio.Queue,
    anything: Any,
    pair: tuple[int, ...],
    size: Int,
) -> None:
    pass


@impure
def publish(queue: dpslio.Queue[int]) -> None:
    pass

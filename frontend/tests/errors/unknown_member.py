from dataclasses import dataclass
from deepslate import flow, slep


@dataclass
class Order:
    number: int
    customer: str


@flow
async def ship(order: Order, names: list[str]) -> str:
    names.apend(order.custommer)
    text = order.customer.uper()
    n = order.number.size
    order.pack()
    print(names.append)
    slep(1)
    return text

from dataclasses import dataclass, field

from deepslate import flow


@dataclass
class Base:
    x: int


@dataclass
class Order(Base):
    number = 3
    total: float = "free"
    tags: list[str] = field(default_factory=make)

    def __post_init__(self):
        pass


@flow
async def main(order: Order) -> None:
    pass

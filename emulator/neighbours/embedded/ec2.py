"""EC2 in this process: every account begins with the network that ECS knows, and the interfaces of tasks are shown."""

from __future__ import annotations

from typing import Any
from weakref import WeakValueDictionary

from emulator.neighbours.embedded.moto import Moto
from emulator.neighbours.interfaces import TaskInterfaces
from emulator.neighbours.ports import DefaultVpc, Place


def show_network(moto: Moto, default_vpc: DefaultVpc, interfaces: TaskInterfaces) -> None:
    """Have accounts begin with this default VPC, and EC2 look before each answer which interfaces tasks have."""

    def change_models() -> None:
        from emulator.neighbours.embedded.ec2_models import change

        change(default_vpc)

    moto.on_load("ec2", change_models)
    moto.before_each("ec2", _Renewal(moto, interfaces).renew)


class _Renewal:
    """Brings up to date which interfaces EC2 shows."""

    def __init__(self, moto: Moto, interfaces: TaskInterfaces) -> None:
        self._moto = moto
        self._interfaces = interfaces
        self._told: WeakValueDictionary[Place, Any] = WeakValueDictionary()
        """The backend that knows of a place's interfaces. Moto makes another one when it has forgotten everything."""

    def renew(self, place: Place) -> None:
        """Tell EC2 what has changed since the last time, and nothing else."""
        from emulator.neighbours.embedded.ec2_models import hide, show

        backend = self._moto.backend("ec2")[place.account][place.region]
        news = self._interfaces.news(place, from_start=self._told.get(place) is not backend)
        self._told[place] = backend
        for id_, interface in news:
            if interface is None:
                hide(backend, id_)
            else:
                show(backend, interface)

"""What the chat asks of the app."""

from dataclasses import dataclass

from textual.message import Message


class NewChatAsked(Message):
    """The person wants an empty conversation."""


class ModelsAsked(Message):
    """The person wants to choose a model."""


class QuitAsked(Message):
    """The person wants to leave."""


class TurnSettled(Message):
    """A turn ended: titles and order of the conversations may have changed."""


class LongerContextAsked(Message):
    """The person wants the model loaded with a longer context, then the answer."""


@dataclass
class DeviceAsked(Message):
    """The person wants to know the devices, or the model on one of them."""

    device: str
    """Empty: tell what there is."""


@dataclass
class ServerAsked(Message):
    """The person wants to see the servers, or one of them to answer."""

    wish: str
    """A saved name, a URL or "off", and a model; empty: show which there are."""


@dataclass
class OpenChatAsked(Message):
    """The person wants to read another conversation."""

    chat_id: str
    message_id: str = ""
    """Of the message to begin with; empty for the newest."""

"""Records as the JSON objects of docs/protocol.md ("Sandbox, Objects")."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ..config import Options
from ..store.records import App, Chat, Group, Invitation, Message, Sent, Session, Thread, User

Shape = dict[str, Any]


def time_shape(at: datetime) -> str:
    """Return a time as JSON has it: ISO 8601, UTC."""
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def user_shape(user: User) -> Shape:
    """Return a user for JSON."""
    return {"jid": user.jid, "name": user.name, "avatar": user.avatar, "admin": user.admin}


def group_shape(group: Group) -> Shape:
    """Return a group for JSON."""
    return {"jid": group.jid, "name": group.name, "owner": group.owner, "members": list(group.members)}


def app_shape(app: App) -> Shape:
    """Return an app for JSON, without its key."""
    return {
        "appId": app.app_id,
        "name": app.name,
        "icon": app.icon,
        "url": app.url,
        "admin": app.admin,
        "status": app.status,
        "createdAt": time_shape(app.created_at),
    }


def session_shape(session: Session) -> Shape:
    """Return a session for JSON, without its secret."""
    return {
        "id": session.id,
        "jid": session.jid,
        "appId": session.app_id,
        "createdAt": time_shape(session.created_at),
        "expiresAt": time_shape(session.expires_at),
        "state": session.state,
    }


def message_shape(message: Message) -> Shape:
    """Return a message for JSON."""
    return {
        "id": message.id,
        "kind": message.kind,
        "thread": message.thread,
        "from": {"jid": message.sender.jid, "name": message.sender.name},
        "to": message.to,
        "text": message.text,
        "at": time_shape(message.at),
    }


def invitation_shape(invitation: Invitation) -> Shape:
    """Return an invitation for JSON."""
    return {
        "group": invitation.group,
        "name": invitation.name,
        "by": {"jid": invitation.by, "name": invitation.by_name},
    }


def thread_shape(thread: Thread) -> Shape:
    """Return a conversation for JSON."""
    return {
        "id": thread.id,
        "kind": thread.kind,
        "title": thread.title,
        "avatar": thread.avatar,
        "last": message_shape(thread.last),
        "unread": thread.unread,
    }


def chat_shape(chat: Chat) -> Shape:
    """Return for JSON how a chat client logs in."""
    return {
        "service": chat.service,
        "bosh": chat.bosh,
        "jid": chat.jid,
        "password": chat.password,
        "expiresIn": chat.expires_in,
    }


def sent_shape(sent: Sent) -> Shape:
    """Return an accepted call for JSON."""
    return {"call": sent.call, "appId": sent.app_id, "to": sent.to, "text": sent.text, "at": time_shape(sent.at)}


def options_shape(options: Options) -> Shape:
    """Return the options for JSON."""
    return {
        "approve": options.approve,
        "errors": options.errors,
        "sessions": options.sessions,
        "sessionLifetime": options.session_lifetime,
    }

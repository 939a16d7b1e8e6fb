/// An event as both sides of the application know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct EventName {
    /// Name of the constant in every language, `NEW_MESSAGE` for example.
    pub constant: &'static str,
    /// What is on the wire, `newMessage` for example.
    pub name: &'static str,
    /// What the event says.
    pub about: &'static str,
}

const fn event(constant: &'static str, name: &'static str, about: &'static str) -> EventName {
    EventName { constant, name, about }
}

/// Events that clients send.
pub const CLIENT_EVENTS: &[EventName] = &[
    event("JOIN_ALL", "joinAll", "Enter all rooms of the user's communities."),
    event("JOIN_ROOM", "joinRoom", "Enter one room."),
    event("LEAVE_ROOM", "leaveRoom", "Leave one room."),
    event("PRESENCE_ONLINE", "presenceOnline", "The user is there; renews a lease."),
    event("SEND_MESSAGE", "sendMessage", "A message for a channel."),
    event("SEND_DM", "sendDirectMessage", "A direct message."),
    event("TYPING_START", "typingStart", "The user begins to type."),
    event("TYPING_STOP", "typingStop", "The user has stopped typing."),
    event("VOICE_CHANNEL_JOIN", "voice_channel_join", "Enter a voice channel."),
    event("VOICE_CHANNEL_LEAVE", "voice_channel_leave", "Leave a voice channel."),
    event("VOICE_STATE_UPDATE", "voice_state_update", "Muted, deafened and the like."),
    event("VOICE_PRESENCE_REFRESH", "voice_presence_refresh", "Still in voice; renews a lease."),
];

/// Events that the server sends.
pub const SERVER_EVENTS: &[EventName] = &[
    event("NEW_MESSAGE", "newMessage", "A message in a channel."),
    event("UPDATE_MESSAGE", "updateMessage", "A message was edited."),
    event("DELETE_MESSAGE", "deleteMessage", "A message is gone."),
    event("NEW_DM", "newDirectMessage", "A direct message."),
    event("NEW_MENTION", "newMention", "The user was mentioned."),
    event("NOTIFICATION", "notification", "Something else the user should know."),
    event("USER_ONLINE", "userOnline", "A user is online."),
    event("USER_OFFLINE", "userOffline", "A user is offline."),
    event("USER_TYPING", "userTyping", "A user types, or has stopped."),
    event("VOICE_CHANNEL_USER_JOINED", "voiceChannelUserJoined", "A user entered a voice channel."),
    event("VOICE_CHANNEL_USER_LEFT", "voiceChannelUserLeft", "A user left a voice channel."),
    event("VOICE_CHANNEL_USER_UPDATED", "voiceChannelUserUpdated", "A user's voice state changed."),
    event("ACK", "ack", "An event was taken."),
    event("ERROR", "error", "An event was refused or failed."),
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn constants_and_names_are_unique_within_a_direction() {
        for table in [CLIENT_EVENTS, SERVER_EVENTS] {
            let constants: HashSet<_> = table.iter().map(|event| event.constant).collect();
            let names: HashSet<_> = table.iter().map(|event| event.name).collect();
            assert_eq!((constants.len(), names.len()), (table.len(), table.len()));
        }
    }

    #[test]
    fn no_event_has_a_name_that_socket_io_reserves() {
        let reserved =
            ["connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"];
        for event in CLIENT_EVENTS.iter().chain(SERVER_EVENTS) {
            assert!(!reserved.contains(&event.name), "{}", event.name);
        }
    }
}

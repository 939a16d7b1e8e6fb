/// What a room of the application is about. Its name is `kind:id`; rooms without a kind are as good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RoomKind {
    /// Messages in one channel.
    Channel,
    /// Everybody of a community.
    Community,
    /// All connections of a user.
    User,
    /// Those who watch a user's presence.
    Presence,
    /// Those who are in a voice channel.
    Voice,
    /// The members of a direct-message conversation.
    Dm,
}

impl RoomKind {
    /// Every kind, for the generators.
    pub const ALL: &'static [RoomKind] = &[
        RoomKind::Channel,
        RoomKind::Community,
        RoomKind::User,
        RoomKind::Presence,
        RoomKind::Voice,
        RoomKind::Dm,
    ];

    /// What stands before the colon.
    pub fn prefix(self) -> &'static str {
        match self {
            RoomKind::Channel => "channel",
            RoomKind::Community => "community",
            RoomKind::User => "user",
            RoomKind::Presence => "presence",
            RoomKind::Voice => "voice",
            RoomKind::Dm => "dm",
        }
    }

    /// What a room of this kind is for.
    pub fn about(self) -> &'static str {
        match self {
            RoomKind::Channel => "Messages in one channel.",
            RoomKind::Community => "Everybody of a community.",
            RoomKind::User => "All connections of a user.",
            RoomKind::Presence => "Those who watch a user's presence.",
            RoomKind::Voice => "Those who are in a voice channel.",
            RoomKind::Dm => "The members of a direct-message conversation.",
        }
    }

    /// Name of the room with this id.
    ///
    /// ```
    /// use kraken_ws_core::kraken::RoomKind;
    ///
    /// assert_eq!(RoomKind::Channel.room("42"), "channel:42");
    /// ```
    pub fn room(self, id: impl std::fmt::Display) -> String {
        format!("{}:{id}", self.prefix())
    }
}

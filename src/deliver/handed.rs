//! How a hand-over went: what it means, how far it came, and what the other side said.

use super::Outcome;

/// How far the conversation with a relay came.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Phase {
    /// Name, connection, greeting, EHLO.
    Connect,
    /// STARTTLS and certificate.
    Tls,
    /// AUTH.
    Login,
    /// MAIL FROM.
    Sender,
    /// RCPT TO.
    Recipient,
    /// DATA, up to the relay's word to go ahead; no byte of the mail is out.
    Data,
    /// The mail itself: from its first byte on, a lost reply leaves open whether it was taken.
    Content,
}

impl Phase {
    /// Every phase, in the order of the conversation.
    pub const ALL: [Phase; 7] =
        [Phase::Connect, Phase::Tls, Phase::Login, Phase::Sender, Phase::Recipient, Phase::Data, Phase::Content];

    /// Its word in the ledger.
    pub fn word(self) -> &'static str {
        match self {
            Phase::Connect => "connect",
            Phase::Tls => "tls",
            Phase::Login => "login",
            Phase::Sender => "sender",
            Phase::Recipient => "recipient",
            Phase::Data => "data",
            Phase::Content => "content",
        }
    }
}

/// How a hand-over went.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Handed {
    /// What it means for the delivery.
    pub outcome: Outcome,
    /// How far the conversation came; none where there is none, as with a folder.
    pub phase: Option<Phase>,
    /// What the relay answered last, without addresses; none when it said nothing.
    pub answer: Option<String>,
    /// Whether it failed for the destination's own sake: the next parcel would fare no better.
    pub is_out_of_order: bool,
}

impl From<Outcome> for Handed {
    /// A hand-over without a conversation.
    fn from(outcome: Outcome) -> Handed {
        Handed { outcome, phase: None, answer: None, is_out_of_order: false }
    }
}

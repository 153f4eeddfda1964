//! The states of runs, editions and deliveries, and the one table of the moves between them.

/// One of the three tables of states.
pub(super) trait State: Copy + Eq + Sized + 'static {
    /// The row it is a state of, as in `delivery`.
    const ROW: &'static str;
    /// Every state, in the order of a row's life.
    const ALL: &'static [Self];
    /// Its word in the database and in messages.
    fn word(self) -> &'static str;
    /// Where it may go from here.
    fn next(self) -> &'static [Self];
}

/// Every allowed move as (row, from, to), in the order of the tables.
pub fn moves() -> Vec<(&'static str, &'static str, &'static str)> {
    fn of<S: State>() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
        let from = S::ALL.iter().flat_map(|from| from.next().iter().map(move |to| (*from, *to)));
        from.map(|(from, to)| (S::ROW, from.word(), to.word()))
    }
    of::<RunState>().chain(of::<EditionState>()).chain(of::<DeliveryState>()).collect()
}

macro_rules! state {
    ($(#[$doc:meta])* $name:ident of $row:literal {
        $($(#[$state_doc:meta])* $state:ident = $word:literal => [$($to:ident),*],)*
    }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, serde::Serialize)]
        #[serde(rename_all = "lowercase")]
        pub enum $name {
            $($(#[$state_doc])* $state,)*
        }

        impl State for $name {
            const ROW: &'static str = $row;
            const ALL: &'static [$name] = &[$($name::$state),*];

            fn word(self) -> &'static str {
                match self {
                    $($name::$state => $word,)*
                }
            }

            fn next(self) -> &'static [$name] {
                match self {
                    $($name::$state => &[$($name::$to),*],)*
                }
            }
        }

        impl $name {
            /// Every state, in the order of a row's life.
            pub const ALL: &'static [$name] = <$name as State>::ALL;

            /// Whether a row may go from this state to that one; a row never goes where it is.
            pub fn may_become(self, to: $name) -> bool {
                self.next().contains(&to)
            }

            /// Its word in the database, in messages and in JSON.
            pub fn word(self) -> &'static str {
                State::word(self)
            }

            /// Whether nothing moves it on any more.
            pub fn is_last(self) -> bool {
                self.next().is_empty()
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(State::word(*self))
            }
        }
    };
}

state! {
    /// What became of an occurrence, or of a call by hand.
    RunState of "run" {
        /// Written down. The planner moves it on: when its data is ready or is not, or when it is not to run.
        Planned = "planned" => [Running, Waiting, Missed, Skipped],
        /// Its data is not ready. The planner moves it on at each load, or at the deadline.
        Waiting = "waiting" => [Running, Held, Missed],
        /// Its editions are planned. Who finishes the last edition and delivery moves it on, or a brake.
        Running = "running" => [Done, Partial, Held],
        /// Its data never came, or a brake stopped it: nothing of it is claimed. An admin releases it or leaves it out.
        Held = "held" => [Running, Skipped],
        /// Everything was made and delivered; nobody moves it.
        Done = "done" => [],
        /// Some of it failed and is named; nobody moves it.
        Partial = "partial" => [],
        /// It came due and did not run. The planner moves it on if a clock that was ahead recorded it before it was due.
        Missed = "missed" => [Planned],
        /// It was left out by a rule or an admin; nobody moves it.
        Skipped = "skipped" => [],
    }
}

state! {
    /// How far an edition is.
    EditionState of "edition" {
        /// Written down. A worker's claim moves it on, or an admin who leaves its run out.
        Planned = "planned" => [Making, Skipped],
        /// A worker makes it under a lease. The worker moves it on, or the lease's end.
        Making = "making" => [Archived, Skipped, Held, Planned, Failed],
        /// Its pack is in the archive and passed the gate; nobody moves it.
        Archived = "archived" => [],
        /// The gate or a brake stopped it. An admin's release moves it on.
        Held = "held" => [Planned],
        /// There is nothing to report, or its run was left out; nobody moves it.
        Skipped = "skipped" => [],
        /// It could not be made; nobody moves it.
        Failed = "failed" => [],
    }
}

state! {
    /// How far a delivery is.
    DeliveryState of "delivery" {
        /// Written down. A worker's claim moves it on once its edition is archived; where that ends without a
        /// pack, who settles the edition; in a restored ledger, who opens it.
        Planned = "planned" => [Sending, Skipped, Held],
        /// A worker hands it over under a lease. The relay's answer moves it on, or the lease's end.
        Sending = "sending" => [Delivered, Retryable, Failed, Uncertain],
        /// It was not taken. The worker moves it on after the backoff, until its attempts run out; who opens a
        /// restored ledger holds it.
        Retryable = "retryable" => [Sending, Failed, Held],
        /// It may have been taken. The rule `resend` moves it on, or an admin's `resend` or `settle`.
        Uncertain = "uncertain" => [Sending, Delivered, Failed],
        /// It was taken, and there is a receipt; nobody moves it.
        Delivered = "delivered" => [],
        /// It was not taken and will not be; nobody moves it.
        Failed = "failed" => [],
        /// The recipient gets no mail. An admin moves it on.
        Suppressed = "suppressed" => [Planned],
        /// Its edition has no pack, or its run was left out. An admin moves it on.
        Skipped = "skipped" => [Planned],
        /// Its edition is held, or it may have been sent by a ledger that is lost. An admin's release moves it on.
        Held = "held" => [Planned],
    }
}

/// The state with a word, if there is one.
pub(super) fn state_of<S: State>(word: &str) -> Option<S> {
    S::ALL.iter().copied().find(|state| state.word() == word)
}

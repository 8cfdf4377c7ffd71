//! What an error of the database means for whoever met it.

/// What to do about an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// The server is away, starting, full or busy; trying again may help.
    Passing,
    /// A lock was not had within the time allowed (SQLSTATE 55P03).
    LockNotHad,
    /// A unique constraint does not hold (SQLSTATE 23505).
    NotUnique,
    /// The values cannot be stored as they are: out of range, not in the
    /// alphabet, too large for an index.
    BadValue,
    /// A bug, a missing right or a damaged database; trying again does not help.
    Lasting,
}

/// What an error means. The classes are those of PostgreSQL's appendix "Error
/// Codes"; connection trouble of any kind is passing.
pub fn meaning(error: &sqlx::Error) -> Meaning {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => Meaning::Passing,
        sqlx::Error::Database(error) => error.code().map_or(Meaning::Lasting, |code| of(&code)),
        _ => Meaning::Lasting,
    }
}

fn of(code: &str) -> Meaning {
    match code {
        "55P03" => Meaning::LockNotHad,
        "23505" => Meaning::NotUnique,
        // program_limit_exceeded and its kin: a key too large for an index.
        "54000" | "54001" | "54011" | "54023" => Meaning::BadValue,
        // A statement was cancelled, by a timeout or by an administrator.
        "57014" | "25P03" | "25006" => Meaning::Passing,
        _ => match code.get(..2).unwrap_or_default() {
            "22" => Meaning::BadValue,
            // Connection, transaction rollback (deadlock, serialization),
            // insufficient resources (disk full), operator intervention, system.
            "08" | "40" | "53" | "57" | "58" => Meaning::Passing,
            _ => Meaning::Lasting,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passes_and_what_does_not() {
        for (code, means) in [
            ("40P01", Meaning::Passing),
            ("57P01", Meaning::Passing),
            ("53100", Meaning::Passing),
            ("55P03", Meaning::LockNotHad),
            ("23505", Meaning::NotUnique),
            ("22021", Meaning::BadValue),
            ("42501", Meaning::Lasting),
        ] {
            assert_eq!(of(code), means, "{code}");
        }
    }
}

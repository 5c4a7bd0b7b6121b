//! The ports alone, in a program of your own: a use case that knows traits only, and an adapter that you write.
//!
//! `cargo run -p dolmen-ports --example own_adapter`

use std::sync::Arc;

use async_trait::async_trait;
use dolmen_ports::{
    BoxError, Clock, Email, ErrorKind, IdGenerator, MailAddress, Mailer, PortError, PortResult, Retryable,
    SystemClock, UuidV7Ids, check_email,
};

/// Your adapter: it writes mails to the terminal.
#[derive(Debug)]
struct TerminalMailer;

#[async_trait]
impl Mailer for TerminalMailer {
    async fn send(&self, email: &Email) -> PortResult<()> {
        // Rules that every mailer holds are checked by the port, so that no two adapters differ in them.
        check_email(email)?;
        println!("To: {}\nSubject: {}\n\n{}", email.to, email.subject, email.text);
        Ok(())
    }
}

/// Why somebody was not invited.
#[derive(Debug, thiserror::Error)]
enum InviteError {
    #[error("the list of guests is full: {limit} are invited")]
    Full { limit: usize },
    #[error(transparent)]
    Port(#[from] PortError),
}

impl Retryable for InviteError {
    fn port_error(&self) -> Option<&PortError> {
        match self {
            Self::Port(error) => Some(error),
            Self::Full { .. } => None,
        }
    }
}

/// Your use case: no technology, no global time, no global randomness.
struct Invite {
    mailer: Arc<dyn Mailer>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdGenerator>,
    limit: usize,
}

impl Invite {
    async fn run(&self, guests: &[MailAddress], host: &MailAddress) -> Result<(), InviteError> {
        if guests.len() > self.limit {
            return Err(InviteError::Full { limit: self.limit });
        }
        for guest in guests {
            let text = format!("You are invited. Written at {}.\n", self.clock.now());
            let key = format!("invitation-{}", self.ids.next());
            let email = Email::new(host.clone(), guest.clone(), "Come to Avebury", text, key);
            self.mailer.send(&email).await?;
        }
        Ok(())
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), BoxError> {
    let invite = Invite {
        mailer: Arc::new(TerminalMailer),
        clock: Arc::new(SystemClock),
        ids: Arc::new(UuidV7Ids::new()),
        limit: 1,
    };
    let (host, guest) = (MailAddress::parse("obelix@example.com")?, MailAddress::parse("ada@example.com")?);
    invite.run(std::slice::from_ref(&guest), &host).await?;

    let refused = invite.run(&[guest.clone(), guest.clone()], &host).await;
    println!("two guests: {}", refused.err().ok_or("two were too many")?);

    // A broken rule of a port has a kind, which says that the same call fails again.
    let broken = Email::new(host.clone(), guest, "one line\nand another", "", "k-1");
    match TerminalMailer.send(&broken).await {
        Err(error) if error.kind() == ErrorKind::InvalidInput => println!("not sent: {error}"),
        other => return Err(format!("expected InvalidInput, got {other:?}").into()),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_example_runs_to_its_end() {
        super::main().unwrap();
    }
}

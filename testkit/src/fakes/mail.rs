//! A mailer that keeps what it sends.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use dolmen_ports::{Email, ErrorKind, Mailer, PortError, PortResult, check_email};

/// Keeps mails instead of sending them. A clone is the same mailer.
///
/// # Examples
/// ```
/// use dolmen_ports::{Email, ErrorKind, MailAddress, Mailer};
/// use dolmen_testkit::fakes::MemoryMailer;
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let mailer = MemoryMailer::new();
/// mailer.fail_next(1, ErrorKind::Unavailable);
/// let ada = MailAddress::parse("ada@example.com").unwrap();
/// let email = Email::new(ada.clone(), ada, "Hello", "A stone.\n", "hello-1");
/// assert!(mailer.send(&email).await.is_err());
/// mailer.send(&email).await.unwrap();
/// assert_eq!(mailer.sent(), [email]);
/// # });
/// ```
#[derive(Debug, Clone, Default)]
pub struct MemoryMailer {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    sent: Vec<Email>,
    failures: Vec<ErrorKind>,
}

impl MemoryMailer {
    /// A mailer that sends everything.
    pub fn new() -> Self {
        Self::default()
    }

    /// What was sent, in that order.
    pub fn sent(&self) -> Vec<Email> {
        self.state().sent.clone()
    }

    /// Lets the next `count` sends fail with this kind; they send nothing.
    pub fn fail_next(&self, count: usize, kind: ErrorKind) {
        self.state().failures = vec![kind; count];
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Mailer for MemoryMailer {
    async fn send(&self, email: &Email) -> PortResult<()> {
        check_email(email)?;
        let mut state = self.state();
        if let Some(kind) = state.failures.pop() {
            return Err(PortError::new(kind, "mail", "send").with_detail("the test asked for this failure"));
        }
        state.sent.push(email.clone());
        Ok(())
    }
}

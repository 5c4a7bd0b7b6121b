//! What a developer sees first: where to go and what to paste.

use accounts::DEMO_USER;

use crate::modules::Wired;
use crate::print;

/// Prints sign-in, URLs and a command to paste, as soon as the ports listen. Without the role `web` it prints nothing.
#[expect(clippy::disallowed_methods, reason = "it ends by itself, and nothing depends on it")]
pub fn print_when_listening(wired: &Wired) {
    let (mut web, mut management) = (wired.web.clone(), wired.management.clone());
    drop(tokio::spawn(async move {
        let (Some(web), Some(management)) = (web.bound().await, management.bound().await) else { return };
        let (email, password) = DEMO_USER;
        let api = format!("http://localhost:{}", web.port());
        print::out(&format!(
            "\n  API         {api}   (page for people: {api}/docs)\
             \n  operations  http://localhost:{management}/ops/modules\
             \n  sign in     {email} / {password}\
             \n\n  curl -s {api}/v1/session -H 'Content-Type: application/json' \\\
             \n    -d '{{\"email\":\"{email}\",\"password\":\"{password}\"}}'\n",
            management = management.port(),
        ));
    }));
}

//! The [`Proxy`] as a program of its own, for harnesses that start real processes: it listens on a free port before the
//! server that is named on the command line, and does what it reads from its standard input, a line each.

use std::io::{self, BufRead as _, Write as _};
use std::net::SocketAddr;
use std::time::Duration;

use dolmen_testkit::faults::{Network, Proxy};

type Failure = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let upstream = std::env::args().nth(1).ok_or("usage: proxy <address of the server>")?;
    let address = tokio::net::lookup_host(upstream).await?.next().ok_or("the server has no address")?;
    let proxy = Proxy::start(address).await?;
    say(&proxy.address().port().to_string())?;
    tokio::task::block_in_place(|| {
        for line in io::stdin().lock().lines() {
            say(&obey(&proxy, &line?).unwrap_or_else(|failure| format!("failed: {failure}")))?;
        }
        Ok(())
    })
}

/// Carries out an order; the answer to it.
fn obey(proxy: &Proxy, order: &str) -> Result<String, Failure> {
    let words: Vec<&str> = order.split_whitespace().collect();
    match words[..] {
        ["clear"] => proxy.becomes(Network::Clear),
        ["dark"] => proxy.becomes(Network::Dark),
        ["slow", millis] => proxy.becomes(Network::Slow(Duration::from_millis(millis.parse()?))),
        ["trickle", bytes] => proxy.becomes(Network::Trickle(bytes.parse()?)),
        ["move", upstream] => proxy.move_to(upstream.parse::<SocketAddr>()?),
        ["reset"] => proxy.reset_all(),
        ["cut-commits", server, count] => proxy.cut_answers_to(commit_of(server)?, count.parse()?),
        ["cut-one-in", requests] => proxy.cut_one_in(requests.parse()?),
        ["cuts-left"] => return Ok(proxy.cuts_left().to_string()),
        ["attempts"] => return Ok(proxy.attempts().to_string()),
        ["connections"] => return Ok(proxy.connections().to_string()),
        _ => return Err(format!("unknown: {order:?}").into()),
    }
    Ok("done".to_owned())
}

/// How a client of the server says `commit`, and nothing else that holds the word, such as the isolation level `read
/// committed`.
fn commit_of(server: &str) -> Result<&'static [u8], Failure> {
    match server {
        "postgres" => Ok(b"commit\0"),
        "mysql" => Ok(b"\x03commit"),
        _ => Err(format!("unknown: {server}").into()),
    }
}

fn say(line: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::{TcpListener, TcpStream};

    use super::*;

    #[tokio::test]
    async fn it_does_what_it_is_told() {
        let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let proxy = Proxy::start(server.local_addr().unwrap()).await.unwrap();
        for order in
            ["slow 1", "trickle 1000", "dark", "clear", "cut-commits mysql 2", "cut-one-in 3", "reset"]
        {
            assert_eq!(obey(&proxy, order).unwrap(), "done", "{order}");
        }
        assert_eq!(obey(&proxy, "cuts-left").unwrap(), "2");
        assert!(obey(&proxy, "slow").is_err() && obey(&proxy, "slow down").is_err());
        assert!(obey(&proxy, "cut-commits oracle 1").is_err());

        let mut client = TcpStream::connect(proxy.address()).await.unwrap();
        let (mut accepted, _) = server.accept().await.unwrap();
        let mut byte = [0];
        for _ in 0..2 {
            client.write_all(b"a").await.unwrap();
            accepted.read_exact(&mut byte).await.unwrap();
        }
        assert_eq!(obey(&proxy, "connections").unwrap(), "1");
        // The third request is lost, and its connection with it.
        client.write_all(b"a").await.unwrap();
        assert!(client.read_exact(&mut byte).await.is_err());
        assert_eq!(obey(&proxy, "attempts").unwrap(), "1");
    }
}

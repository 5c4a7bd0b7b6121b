//! Requests over HTTP, on connections that are kept.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use dolmen::{BoxError, Bytes};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{CONTENT_TYPE, HOST};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::{Latencies, Pace};

/// Orders to place.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) address: SocketAddr,
    pub(crate) per_second: f64,
    pub(crate) time: Duration,
    /// At most so many requests are under way; those behind them wait, and their waiting counts.
    pub(crate) connections: usize,
    /// Of the first order; the others follow.
    pub(crate) first_number: u64,
}

/// What became of them.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    /// From the instant at which each should have been sent to its answer.
    pub(crate) times: Latencies,
    /// From that instant until it was sent.
    pub(crate) lateness: Latencies,
    /// The numbers of the orders that were accepted.
    pub(crate) accepted: Vec<u64>,
    /// How many got another answer, by its status.
    pub(crate) refused: BTreeMap<u16, u64>,
    /// How many got none.
    pub(crate) unanswered: u64,
}

impl Answers {
    pub(crate) fn asked(&self) -> u64 {
        self.accepted.len() as u64 + self.refused.values().sum::<u64>() + self.unanswered
    }

    fn append(&mut self, others: Self) {
        self.times.append(others.times);
        self.lateness.append(others.lateness);
        self.accepted.extend(others.accepted);
        self.unanswered += others.unanswered;
        for (status, count) in others.refused {
            *self.refused.entry(status).or_default() += count;
        }
    }
}

/// Sends them all, and waits for their answers.
pub(crate) async fn send(plan: Plan) -> Result<Answers, BoxError> {
    let pace = Arc::new(Pace::start(plan.per_second, plan.time));
    let mut connections = JoinSet::new();
    for _ in 0..plan.connections {
        connections.spawn(on_one_connection(plan, Arc::clone(&pace)));
    }
    let mut answers = Answers::default();
    while let Some(ended) = connections.join_next().await {
        answers.append(ended??);
    }
    Ok(answers)
}

async fn on_one_connection(plan: Plan, pace: Arc<Pace>) -> Result<Answers, BoxError> {
    let mut answers = Answers::default();
    let mut connection = None;
    while let Some(turn) = pace.next().await {
        let number = plan.first_number + turn.number;
        answers.lateness.add(turn.at.elapsed());
        let answer = place(plan.address, &mut connection, number).await;
        answers.times.add(Instant::now().saturating_duration_since(turn.at));
        match answer {
            Ok(StatusCode::CREATED) => answers.accepted.push(number),
            Ok(status) => *answers.refused.entry(status.as_u16()).or_default() += 1,
            Err(_) => {
                answers.unanswered += 1;
                connection = None;
            }
        }
    }
    Ok(answers)
}

type Connection = Option<(SendRequest<Full<Bytes>>, JoinSet<Result<(), hyper::Error>>)>;

async fn place(
    address: SocketAddr,
    connection: &mut Connection,
    number: u64,
) -> Result<StatusCode, BoxError> {
    if connection.is_none() {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (sender, driver) = http1::handshake(TokioIo::new(stream)).await?;
        let mut driving = JoinSet::new();
        driving.spawn(driver);
        *connection = Some((sender, driving));
    }
    let Some((sender, _)) = connection else { return Err("not connected".into()) };
    sender.ready().await?;
    let body = format!(r#"{{"number":{number},"customer":"Ada Stone","total_minor":12345}}"#);
    let request = Request::builder()
        .method(Method::POST)
        .uri("/v1/orders")
        .header(HOST, "localhost")
        .header(CONTENT_TYPE, "application/json")
        .body(Full::new(Bytes::from(body)))?;
    let response = sender.send_request(request).await?;
    let status = response.status();
    response.into_body().collect().await?;
    Ok(status)
}

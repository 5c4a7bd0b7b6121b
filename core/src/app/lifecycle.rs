//! From start to end: the one state machine of the process. Pure: it is told what happened and says what to do.

/// Where the process is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
#[expect(clippy::exhaustive_enums, reason = "probes map each phase to an answer")]
pub enum Phase {
    /// It waits for its schema, starts its modules and its runners.
    Starting,
    /// It serves.
    Ready,
    /// It finishes what it holds and takes nothing new.
    Draining,
    /// It has ended.
    Stopped,
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Input {
    /// Every runner serves.
    Started,
    /// Somebody asked the process to end.
    Signal,
    /// It cannot go on: the start failed, or a runner ended by itself.
    Failed,
    /// The time that the last step set is over.
    TimeUp,
    /// No runner is left.
    RunnersEnded,
}

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// Say that it is ready.
    Serve,
    /// Say that it is no longer ready, and go on serving for the delay.
    Announce,
    /// Ask the runners to drain, and set the grace period.
    Drain,
    /// Ask the runners to stop at once, and set the last deadline.
    Stop,
    /// Stop the modules and close the database.
    End,
    /// End without waiting for anything.
    Abandon,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Starting,
    Ready,
    Delaying,
    Draining,
    Stopping,
    Stopped,
}

/// The state machine.
#[derive(Debug)]
pub(crate) struct Lifecycle {
    state: State,
    signalled: bool,
}

impl Lifecycle {
    pub(crate) fn new() -> Self {
        Self { state: State::Starting, signalled: false }
    }

    /// Where it is, as the outside sees it.
    pub(crate) fn phase(&self) -> Phase {
        match self.state {
            State::Starting => Phase::Starting,
            State::Ready => Phase::Ready,
            State::Delaying | State::Draining | State::Stopping => Phase::Draining,
            State::Stopped => Phase::Stopped,
        }
    }

    /// Takes in what happened; says what to do, if anything.
    pub(crate) fn on(&mut self, input: Input) -> Option<Step> {
        let impatient = input == Input::Signal && self.signalled;
        self.signalled |= input == Input::Signal;
        let (state, step) = match (self.state, input) {
            (State::Starting, Input::Started) => (State::Ready, Step::Serve),
            // Nobody was told that it is ready, so nobody has to notice that it is not.
            (State::Starting, Input::Signal | Input::Failed) | (State::Delaying, Input::TimeUp) => {
                (State::Draining, Step::Drain)
            }
            (State::Ready, Input::Signal | Input::Failed) => (State::Delaying, Step::Announce),
            (State::Delaying | State::Draining | State::Stopping, Input::Signal) if impatient => {
                (State::Stopped, Step::Abandon)
            }
            (State::Draining, Input::TimeUp) => (State::Stopping, Step::Stop),
            (State::Delaying | State::Draining | State::Stopping, Input::RunnersEnded)
            | (State::Stopping, Input::TimeUp) => (State::Stopped, Step::End),
            _ => return None,
        };
        self.state = state;
        Some(step)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(inputs: &[Input]) -> (Vec<Option<Step>>, Phase) {
        let mut lifecycle = Lifecycle::new();
        let steps = inputs.iter().map(|input| lifecycle.on(*input)).collect();
        (steps, lifecycle.phase())
    }

    #[test]
    fn a_signal_takes_readiness_back_before_the_drain_begins() {
        let (steps, phase) = steps(&[Input::Started, Input::Signal, Input::TimeUp, Input::RunnersEnded]);
        assert_eq!(steps, [Some(Step::Serve), Some(Step::Announce), Some(Step::Drain), Some(Step::End)]);
        assert_eq!(phase, Phase::Stopped);
    }

    #[test]
    fn runners_that_outlive_the_grace_period_are_stopped_then_left_behind() {
        let (steps, phase) =
            steps(&[Input::Started, Input::Signal, Input::TimeUp, Input::TimeUp, Input::TimeUp]);
        assert_eq!(&steps[2..], [Some(Step::Drain), Some(Step::Stop), Some(Step::End)]);
        assert_eq!(phase, Phase::Stopped);
    }

    #[test]
    fn a_signal_during_the_start_drains_without_delay() {
        let (steps, phase) = steps(&[Input::Signal, Input::RunnersEnded]);
        assert_eq!(steps, [Some(Step::Drain), Some(Step::End)]);
        assert_eq!(phase, Phase::Stopped);
    }

    #[test]
    fn a_second_signal_ends_at_once_in_every_part_of_the_drain() {
        for waits in 0..3 {
            let mut inputs = vec![Input::Started, Input::Signal];
            inputs.extend(std::iter::repeat_n(Input::TimeUp, waits));
            inputs.push(Input::Signal);
            let (steps, phase) = steps(&inputs);
            assert_eq!(steps.last(), Some(&Some(Step::Abandon)));
            assert_eq!(phase, Phase::Stopped);
        }
    }

    #[test]
    fn the_first_signal_after_a_failure_lets_the_drain_go_on() {
        let (steps, phase) = steps(&[Input::Started, Input::Failed, Input::Signal]);
        assert_eq!(steps, [Some(Step::Serve), Some(Step::Announce), None]);
        assert_eq!(phase, Phase::Draining);
    }

    #[test]
    fn it_never_becomes_ready_again_and_nothing_happens_after_the_end() {
        let ended = [Input::Signal, Input::Started, Input::RunnersEnded];
        let (steps, _) = steps(&ended);
        assert_eq!(steps, [Some(Step::Drain), None, Some(Step::End)]);
        let mut lifecycle = Lifecycle::new();
        for input in ended {
            lifecycle.on(input);
        }
        for input in [Input::Started, Input::Signal, Input::Failed, Input::TimeUp, Input::RunnersEnded] {
            assert_eq!(lifecycle.on(input), None);
        }
    }
}

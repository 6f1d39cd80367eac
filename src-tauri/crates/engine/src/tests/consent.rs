//! Prompts for consent (security.md, "Local interfaces"). The callers are real processes.

use crate::tests::common::{NAME, World, ui, until};
use crate::{ConsentMode, Engine, Error, Prompt, PromptAnswer, Proof, TokenView};
use std::{
    process::{Child, Command, Stdio},
    time::Duration,
};
use tokenry_core::{Caller, Code, ConnectionStatus, EventKind, Outcome, Rule, Secret};
use tokenry_testkit::Behaviour;

mod before;
mod changes;
mod changes_elsewhere;
mod crowds;
mod cut_off;
mod others;
mod passphrase;
mod sessions;
mod step_up;
mod turns;

/// A program that asks: another process, so that it can go away.
struct Program(Child, u32);

impl Program {
    fn start() -> Self {
        Self::running("read line")
    }

    fn running(script: &str) -> Self {
        let child = Command::new("sh")
            .args(["-c", &format!("{script} # asked by a test")])
            .stdin(Stdio::piped())
            // A child that outlives a test that failed must not hold its output open.
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let pid = child.id();
        let started = Self(child, pid);
        // Between fork and exec it still is this very test, and for a moment it has no arguments.
        let ours = std::fs::read_link("/proc/self/exe").unwrap();
        let is_itself = || {
            let process = format!("/proc/{}", started.1);
            let program = std::fs::read_link(format!("{process}/exe")).unwrap();
            program != ours && !std::fs::read(format!("{process}/cmdline")).unwrap().is_empty()
        };
        while !is_itself() {
            std::thread::yield_now();
        }
        started
    }

    /// It has a session of its own, and this very test started it like the others.
    fn in_a_session_of_its_own() -> Self {
        let child = Command::new("setsid")
            .args(["sh", "-c", "read line # asked by a test"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let pid = child.id();
        Self::there(Self(child, pid))
    }

    /// Its parent has ended: no other process is in its lineage, and a denial of one such program holds no other back. Ends
    /// with its input.
    fn orphan() -> Self {
        let script = "exec 3<&0; setsid sh -c 'read line # asked by a test' <&3 >/dev/null & echo $!";
        let mut child = Command::new("sh")
            .args(["-c", script])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut said = std::io::BufReader::new(child.stdout.take().unwrap());
        std::io::BufRead::read_line(&mut said, &mut line).unwrap();
        let stdin = child.stdin.take();
        child.wait().unwrap();
        child.stdin = stdin;
        Self::there(Self(child, line.trim().parse().unwrap()))
    }

    fn there(started: Self) -> Self {
        let is_there = || match started.caller() {
            Caller::Program(peer) => {
                let is_setsid = peer.program.is_some_and(|program| program.ends_with("/setsid"));
                peer.session == Some(peer.pid) && !is_setsid
            }
            _ => false,
        };
        while !is_there() {
            std::thread::yield_now();
        }
        started
    }

    fn caller(&self) -> Caller {
        let uid = rustix::process::getuid().as_raw();
        Caller::Program(tokenry_peer::of_process(uid, self.1))
    }

    fn end(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

type Asked = tokio::task::JoinHandle<Result<TokenView, Error>>;

fn ask(engine: &Engine, caller: &Caller) -> Asked {
    let (engine, caller) = (engine.clone(), caller.clone());
    tokio::spawn(async move { engine.token(&caller, NAME, Duration::ZERO).await })
}

/// The open questions, when there are this many.
async fn questions(engine: &Engine, count: usize) -> Vec<Prompt> {
    until("so many questions are open", async || {
        let open = engine.prompts(&Caller::Consent).unwrap();
        (open.len() == count).then_some(open)
    })
    .await
}

async fn question(engine: &Engine) -> Prompt {
    questions(engine, 1).await.remove(0)
}

async fn answer(engine: &Engine, prompt: &Prompt, answer: PromptAnswer) -> Result<(), Error> {
    let proof = Proof::Number(prompt.number.clone());
    engine.answer(&Caller::Consent, prompt.id, &proof, answer).await
}

async fn code(asked: Asked) -> Result<(), Code> {
    asked.await.unwrap().map(drop).map_err(|error| error.code())
}

#[tokio::test]
async fn a_question_says_who_asks_for_what_and_a_yes_is_good_for_once() {
    let (_world, engine) = World::connected(Behaviour::default()).await;
    let program = Program::start();
    let asked = ask(&engine, &program.caller());
    let prompt = question(&engine).await;
    assert_eq!(prompt.pid, Some(program.0.id()));
    assert_eq!(prompt.connection.as_deref(), Some(NAME));
    assert!(prompt.program.is_some() && prompt.parent.is_some());
    assert!(prompt.arguments.as_deref().unwrap().contains("asked by a test"));
    assert!(!prompt.token_scopes.is_empty());
    answer(&engine, &prompt, PromptAnswer::Once).await.unwrap();
    assert_eq!(code(asked).await, Ok(()));
    // Once is once.
    let again = ask(&engine, &program.caller());
    let prompt = question(&engine).await;
    answer(&engine, &prompt, PromptAnswer::Deny).await.unwrap();
    assert_eq!(code(again).await, Err(Code::ConsentDenied));
}

#[tokio::test]
async fn the_decision_and_its_rule_stand_in_the_log() {
    let (_world, engine) = World::connected(Behaviour::default()).await;
    let program = Program::start();
    for (reply, outcome, rule) in [
        (PromptAnswer::Once, Outcome::Done, Rule::Once),
        (PromptAnswer::Deny, Outcome::Refused, Rule::Denied),
    ] {
        let asked = ask(&engine, &program.caller());
        let prompt = question(&engine).await;
        answer(&engine, &prompt, reply).await.unwrap();
        let _ = code(asked).await;
        let (events, _) = engine.events(&ui(), None, 50).await.unwrap();
        let decided = events
            .iter()
            .find(|e| e.kind == EventKind::ConsentDecided)
            .unwrap();
        assert_eq!((decided.outcome, decided.rule), (outcome, Some(rule)));
        let handed = events
            .iter()
            .find(|e| e.kind == EventKind::TokenHandedOut)
            .unwrap();
        assert_eq!((handed.outcome, handed.rule), (outcome, Some(rule)));
        assert_eq!(handed.caller, program.caller());
    }
}

/// "after a Deny a growing pause for that app"
#[tokio::test]
async fn after_a_denial_no_prompt_appears_for_a_while_and_each_denial_doubles_it() {
    let (world, engine) = World::connected(Behaviour::default()).await;
    let program = Program::start();
    for seconds in [10, 30, 90] {
        let asked = ask(&engine, &program.caller());
        let prompt = question(&engine).await;
        answer(&engine, &prompt, PromptAnswer::Deny).await.unwrap();
        assert_eq!(code(asked).await, Err(Code::ConsentDenied));
        world.pass(seconds - 1);
        let error = engine
            .token(&program.caller(), NAME, Duration::ZERO)
            .await
            .unwrap_err();
        assert_eq!(error.code(), Code::ConsentDenied);
        assert_eq!(error.rule(), Some(Rule::DeniedBefore));
        assert!(
            error
                .retry_after()
                .is_some_and(|wait| wait <= Duration::from_secs(1))
        );
        assert!(engine.prompts(&Caller::Consent).unwrap().is_empty());
        world.pass(1);
    }
}

#[tokio::test]
async fn an_unanswered_prompt_is_denied() {
    let (_world, engine) = World::connected(Behaviour::default()).await;
    let program = Program::start();
    tokio::time::pause();
    let error = engine
        .token(&program.caller(), NAME, Duration::ZERO)
        .await
        .unwrap_err();
    assert_eq!(
        (error.code(), error.rule()),
        (Code::ConsentDenied, Some(Rule::Unanswered))
    );
    assert!(engine.prompts(&Caller::Consent).unwrap().is_empty());
}

/// "one at a time, a short queue, the rest refused"
#[tokio::test]
async fn a_flood_of_questions_is_refused_and_the_same_question_is_asked_once() {
    let (world, engine) = World::connected(Behaviour::default()).await;
    let program = Program::start();
    let same: Vec<_> = (0..20).map(|_| ask(&engine, &program.caller())).collect();
    let prompt = question(&engine).await;
    for number in 0..2 {
        let (engine, caller) = (engine.clone(), program.caller());
        let new = world.provider(&format!("new-{number}"));
        tokio::spawn(async move { engine.add_provider(&caller, new).await });
    }
    questions(&engine, 3).await;
    let error = engine.refresh(&program.caller(), NAME).await.unwrap_err();
    assert_eq!(error.code(), Code::RateLimited);
    answer(&engine, &prompt, PromptAnswer::Once).await.unwrap();
    for asked in same {
        assert_eq!(code(asked).await, Ok(()));
    }
}

/// In a container, for example: what a no and a flood mean does not depend on it.
/// "a request … whose caller is gone … closes its prompt"
#[tokio::test]
async fn a_question_closes_when_who_asked_is_gone() {
    let (_world, engine) = World::connected(Behaviour::default()).await;
    let mut program = Program::start();
    let asked = ask(&engine, &program.caller());
    question(&engine).await;
    program.end();
    assert_eq!(code(asked).await, Err(Code::PermissionDenied));
    questions(&engine, 0).await;
    // And when it only hangs up.
    let program = Program::start();
    let asked = ask(&engine, &program.caller());
    question(&engine).await;
    asked.abort();
    questions(&engine, 0).await;
}

/// security.md: who gets no consent gets nothing, "and its attempt is in the activity log".
#[tokio::test]
async fn the_requester_is_in_the_log_once_though_no_prompt_is_answered() {
    let (_world, engine) = World::connected(Behaviour::default()).await;
    let program = Program::start();
    let same: Vec<_> = (0..3).map(|_| ask(&engine, &program.caller())).collect();
    question(&engine).await;
    same.iter().for_each(Asked::abort);
    questions(&engine, 0).await;
    let (events, _) = engine.events(&ui(), None, 50).await.unwrap();
    let of_program: Vec<_> = events.iter().filter(|e| e.caller == program.caller()).collect();
    let [asked] = of_program[..] else {
        panic!("{of_program:?}")
    };
    assert_eq!(
        (asked.kind, asked.outcome, asked.rule),
        (EventKind::ConsentAsked, Outcome::Done, None)
    );
    assert_eq!(
        asked.connection,
        Some(crate::tests::common::view(&engine).await.connection.id)
    );
    assert!(asked.detail.is_some());
}

/// Issue 3: "a caller that execs another program"
#[tokio::test]
async fn a_yes_for_one_program_is_not_given_to_the_one_it_became() {
    let (_world, engine) = World::connected(Behaviour::default()).await;
    let mut program = Program::running("read line; exec sleep 600");
    let asked = ask(&engine, &program.caller());
    let prompt = question(&engine).await;
    let before = program.caller();
    drop(program.0.stdin.take());
    while program.caller() == before {
        std::thread::yield_now();
    }
    let error = answer(&engine, &prompt, PromptAnswer::Once).await.unwrap_err();
    assert!(
        matches!(error.code(), Code::PermissionDenied | Code::NotFound),
        "{error}"
    );
    assert_eq!(code(asked).await, Err(Code::PermissionDenied));
}

/// "a request whose content changes … or whose vault locks closes its prompt"
#[tokio::test]
async fn a_question_closes_when_what_it_is_about_changes() {
    let (_world, engine) = World::connected(Behaviour::default()).await;
    let program = Program::start();
    let asked = ask(&engine, &program.caller());
    let prompt = question(&engine).await;
    let label = crate::ConnectionChange {
        label: Some(Some("work".to_owned())),
        paused: None,
        bindings: None,
    };
    let view = engine.change_connection(&ui(), NAME, label).await.unwrap();
    assert_eq!(view.connection.status, ConnectionStatus::Active);
    assert_eq!(code(asked).await, Err(Code::Conflict));
    assert_eq!(
        answer(&engine, &prompt, PromptAnswer::Once)
            .await
            .unwrap_err()
            .code(),
        Code::NotFound
    );
}

#[tokio::test]
async fn a_question_closes_when_the_vault_locks() {
    let (_world, engine) = World::connected(Behaviour::default()).await;
    let program = Program::start();
    let asked = ask(&engine, &program.caller());
    let prompt = question(&engine).await;
    engine.lock(&ui()).await.unwrap();
    assert_eq!(code(asked).await, Err(Code::VaultLocked));
    assert!(answer(&engine, &prompt, PromptAnswer::Once).await.is_err());
}

/// security.md, "Webview": `main` cannot approve, and each prompt has a one-time number.
#[tokio::test]
async fn only_the_window_that_asks_answers_and_only_with_the_number_of_the_question() {
    let (_world, engine) = World::connected(Behaviour::default()).await;
    let program = Program::start();
    let asked = ask(&engine, &program.caller());
    let prompt = question(&engine).await;
    let right = Proof::Number(prompt.number.clone());
    for caller in [ui(), program.caller(), Caller::Engine] {
        let error = engine
            .answer(&caller, prompt.id, &right, PromptAnswer::Once)
            .await
            .unwrap_err();
        assert_eq!(error.code(), Code::PermissionDenied, "{caller:?}");
    }
    let wrong = Proof::Number(Secret::new("0".repeat(32)));
    let error = engine
        .answer(&Caller::Consent, prompt.id, &wrong, PromptAnswer::Once)
        .await
        .unwrap_err();
    assert_eq!(error.code(), Code::PermissionDenied);
    // Without an approval code, a terminal answers nothing.
    let code_proof = Proof::Code(Secret::new(String::new()));
    let error = engine
        .answer(&program.caller(), prompt.id, &code_proof, PromptAnswer::Once)
        .await
        .unwrap_err();
    assert_eq!(error.code(), Code::PermissionDenied);
    answer(&engine, &prompt, PromptAnswer::Once).await.unwrap();
    assert_eq!(code(asked).await, Ok(()));
    assert_eq!(
        answer(&engine, &prompt, PromptAnswer::Once)
            .await
            .unwrap_err()
            .code(),
        Code::NotFound,
        "a number is good for one answer"
    );
}

#[tokio::test]
async fn without_a_window_the_code_of_the_start_answers_and_nothing_else_does() {
    let world = World::new(Behaviour::default());
    let mut options = world.options();
    options.approval_code = Some(Secret::new("ABCD-EFGH".to_owned()));
    let engine = Engine::start(options).await.unwrap();
    world.connect(&engine).await;
    let program = Program::start();
    let asked = ask(&engine, &program.caller());
    let prompt = question(&engine).await;
    let answering = Program::start().caller();
    let wrong = Proof::Code(Secret::new("ABCD-EFGX".to_owned()));
    let error = engine
        .answer(&answering, prompt.id, &wrong, PromptAnswer::Once)
        .await
        .unwrap_err();
    assert_eq!(error.code(), Code::PermissionDenied);
    assert!(!asked.is_finished());
    let right = Proof::Code(Secret::new("ABCD-EFGH".to_owned()));
    engine
        .answer(&answering, prompt.id, &right, PromptAnswer::Once)
        .await
        .unwrap();
    assert_eq!(code(asked).await, Ok(()));
}

#[tokio::test]
async fn an_engine_that_was_told_to_allow_all_says_in_the_log_what_it_let_through() {
    for (asking, expected, rule) in [
        (ConsentMode::AllowAll, Ok(()), Rule::ApproveAll),
        (
            ConsentMode::Never,
            Err(Code::InteractionRequired),
            Rule::CannotAsk,
        ),
    ] {
        let world = World::new(Behaviour::default());
        let mut options = world.options();
        options.asking = asking;
        let engine = Engine::start(options).await.unwrap();
        world.connect(&engine).await;
        let program = Program::start();
        assert_eq!(code(ask(&engine, &program.caller())).await, expected);
        let (events, _) = engine.events(&ui(), None, 10).await.unwrap();
        let handed = events
            .iter()
            .find(|e| e.kind == EventKind::TokenHandedOut)
            .unwrap();
        assert_eq!(handed.rule, Some(rule));
    }
}

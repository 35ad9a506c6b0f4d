//! The program under test, a client with one connection, and pipes through which commands tell where they are.

use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{Shutdown, TcpStream},
    path::PathBuf,
    process::{Child, ChildStderr, Command, Stdio},
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

/// A running load tester.
pub struct Tester {
    child: Child,
    stderr: BufReader<ChildStderr>,
    lines: Vec<Value>,
    port: u16,
    /// The call whose answer has not been read.
    calling: Option<TcpStream>,
}

impl Tester {
    /// Starts it with these flags.
    pub fn start(flags: &[&str]) -> Self {
        Tester::start_with(flags, &BTreeMap::new())
    }

    /// Starts it with these flags and variables.
    pub fn start_with(flags: &[&str], variables: &BTreeMap<&str, &str>) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_loadtester"))
            .arg("-port=0")
            .args(flags)
            .envs(variables)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let mut tester = Tester { child, stderr, lines: Vec::new(), port: 0, calling: None };
        tester.wait_for_log("Starting load tester");
        let started = tester.lines.last().unwrap()["msg"].as_str().unwrap();
        tester.port = started.rsplit(' ').next().unwrap().parse().unwrap();
        tester
    }

    /// Sends a call.
    pub fn send(&mut self, path: &str, body: &str) {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        let length = body.len();
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
        );
        stream.write_all(format!("{head}{body}").as_bytes()).unwrap();
        self.calling = Some(stream);
    }

    /// The answer to the call.
    pub fn receive(&mut self) -> (u16, String) {
        let mut text = String::new();
        self.calling.take().unwrap().read_to_string(&mut text).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
    }

    /// A call and its answer.
    pub fn post(&mut self, path: &str, body: &str) -> (u16, String) {
        self.send(path, body);
        self.receive()
    }

    /// Ends the call without waiting for its answer.
    pub fn hang_up(&mut self) {
        self.calling.take().unwrap().shutdown(Shutdown::Both).unwrap();
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Reads the log up to a line whose message begins so.
    pub fn wait_for_log(&mut self, message: &str) {
        while let Some(line) = self.next_line() {
            if line["msg"].as_str().is_some_and(|text| text.starts_with(message)) {
                return;
            }
        }
        panic!("{message:?} is not in the log: {:#?}", self.lines);
    }

    /// Waits for the end and gives the exit code; none after a signal.
    pub fn exit_code(&mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }

    /// The whole log, to the end of the process.
    pub fn log(&mut self) -> &[Value] {
        while self.next_line().is_some() {}
        &self.lines
    }

    /// Every line is an object with these keys first.
    fn next_line(&mut self) -> Option<&Value> {
        let mut text = String::new();
        self.stderr.read_line(&mut text).unwrap();
        if text.is_empty() {
            return None;
        }
        assert!(text.starts_with(r#"{"level":""#) && text.contains(r#","ts":""#), "{text}");
        self.lines.push(serde_json::from_str(&text).unwrap());
        self.lines.last()
    }
}

impl Drop for Tester {
    fn drop(&mut self) {
        let _ended = self.child.kill();
    }
}

/// A payload of the Canary `podinfo.test`.
pub fn task(metadata: &[(&str, &str)]) -> String {
    let metadata: BTreeMap<&str, &str> = metadata.iter().copied().collect();
    serde_json::json!({ "name": "podinfo", "namespace": "test", "metadata": metadata }).to_string()
}

/// A pipe with a name, through which a command tells the id of its group.
pub struct Mark(PathBuf);

impl Mark {
    /// Makes it.
    pub fn new(test: &str) -> Self {
        let path = std::env::temp_dir().join(format!("vexil-loadtester-{}-{test}", std::process::id()));
        let _old = std::fs::remove_file(&path);
        assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
        Mark(path)
    }

    /// Where commands write to.
    pub fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }

    /// The process id that a command has written.
    pub fn pid(&self) -> Pid {
        let text = std::fs::read_to_string(&self.0).unwrap();
        Pid::from_raw(text.trim().parse().unwrap()).unwrap()
    }
}

impl Drop for Mark {
    fn drop(&mut self) {
        let _gone = std::fs::remove_file(&self.0);
    }
}

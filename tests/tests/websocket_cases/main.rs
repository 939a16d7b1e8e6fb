//! The cases of Autobahn's WebSocket test suite, sections 1 to 7, 9, 10, 12 and 13, each a test named by its
//! number, against a host that echoes. `tests/autobahn/README.md` says what stands for what, runs the suite
//! itself, and has the table of those cases that are not plainly OK.

mod closing;
mod compression;
mod framing;
mod limits;
mod peer;
mod utf8;

use libtest_mimic::{Arguments, Trial};

use peer::Peer;

/// Collects cases.
#[derive(Default)]
struct Cases(Vec<Trial>);

impl Cases {
    /// A case without compression. `number` is Autobahn's, `what` says it in a few words.
    fn add(&mut self, number: impl AsRef<str>, what: &str, case: impl FnOnce(&mut Peer) + Send + 'static) {
        self.offering(number, what, None, case);
    }

    /// A case whose client offers these extensions.
    fn offering(
        &mut self,
        number: impl AsRef<str>,
        what: &str,
        offer: Option<&'static str>,
        case: impl FnOnce(&mut Peer) + Send + 'static,
    ) {
        let name = format!("{}_{}", number.as_ref(), what.replace(' ', "_"));
        self.0.push(Trial::test(name, move || {
            peer::with_echo_host(|addr| case(&mut Peer::open(addr, offer)));
            Ok(())
        }));
    }
}

fn main() {
    let mut cases = Cases::default();
    framing::cases(&mut cases);
    utf8::cases(&mut cases);
    closing::cases(&mut cases);
    limits::cases(&mut cases);
    compression::cases(&mut cases);
    libtest_mimic::run(&Arguments::from_args(), cases.0).exit();
}

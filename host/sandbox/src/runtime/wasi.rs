//! WASI without an effect, for languages whose tools import it: what a plugin that was granted `wasi` is answered.
//!
//! Clocks stand still at 1970, randomness is the same in every call, there are no files, no arguments and no environment,
//! and nothing can be sent. What is written to the standard error is kept as the words in which a plugin fails; everything
//! else that is written is dropped. So a plugin stays a function of its arguments. A function that needs a file or a socket
//! cannot be called, because nobody can have one, and to open one fails.
//!
//! Nothing here has a capability: each function is a few lines of ours, and the component's own types say which there are.

use wasmtime::Engine;
use wasmtime::StoreContextMut;
use wasmtime::component::Component;
use wasmtime::component::ComponentNamedList;
use wasmtime::component::ComponentType;
use wasmtime::component::Lift;
use wasmtime::component::Linker;
use wasmtime::component::LinkerInstance;
use wasmtime::component::Lower;
use wasmtime::component::Resource;
use wasmtime::component::ResourceType;
use wasmtime::component::types::ComponentInstance;
use wasmtime::component::types::ComponentItem;

use crate::runtime::call::StoreLimits;

/// The packages of WASI 0.2 that have answers here.
const PACKAGES: [&str; 6] = ["cli", "clocks", "filesystem", "io", "random", "sockets"];
/// The version of all of them, up to the last point.
const VERSION: &str = "@0.2.";
/// The most random bytes of one call: more is no seed.
const RANDOM_BYTES_MAX: u64 = 64 << 10;
/// How many bytes a stream takes at once.
const WRITE_BYTES: u64 = 64 << 10;
/// The standard error among the streams.
const STDERR: u32 = 2;

/// Whether an import is a part of WASI that is answered here.
pub(crate) fn is_answered(import: &str) -> bool {
    let Some((package, rest)) = import.strip_prefix("wasi:").and_then(|name| name.split_once('/')) else {
        return false;
    };
    PACKAGES.contains(&package) && rest.contains(VERSION)
}

/// Defines everything of WASI that `component` imports.
///
/// # Errors
///
/// When the component has other types than WASI has.
pub(crate) fn define(
    engine: &Engine,
    component: &Component,
    linker: &mut Linker<StoreLimits>,
) -> wasmtime::Result<()> {
    for (import, item) in component.component_type().imports(engine) {
        let ComponentItem::ComponentInstance(interface) = item.ty else { continue };
        let Some((name, _)) = import.split_once('@').filter(|_| is_answered(import)) else { continue };
        let mut stubs = Stubs { instance: linker.instance(import)? };
        stubs.resources(engine, &interface)?;
        stubs.functions(name)?;
    }
    // What is left takes a file or a socket, of which there is none.
    linker.define_unknown_imports_as_traps(component)
}

/// An end of a stream that leads nowhere.
struct Input;
/// An end of a stream that leads nowhere or, for the standard error, to the words of a failure.
struct Output;
/// Something that is always ready.
struct Pollable;
/// An error of a stream: there is none.
struct StreamFailure;
/// A file, a socket, a terminal: there is none.
struct Nothing;

/// Why a stream ends.
#[derive(ComponentType, Lower)]
#[component(variant)]
enum StreamError {
    #[component(name = "last-operation-failed")]
    #[allow(dead_code, reason = "it is a case of the type, and nothing fails")]
    Failed(Resource<StreamFailure>),
    #[component(name = "closed")]
    Closed,
}

#[derive(ComponentType, Lower)]
#[component(record)]
struct Datetime {
    seconds: u64,
    nanoseconds: u32,
}

/// What a stream answers.
type StreamAnswer<T> = (Result<T, StreamError>,);

/// An interface that is being defined.
struct Stubs<'a> {
    instance: LinkerInstance<'a, StoreLimits>,
}

impl Stubs<'_> {
    /// The types of the interface that have handles.
    fn resources(&mut self, engine: &Engine, interface: &ComponentInstance) -> wasmtime::Result<()> {
        for (name, item) in interface.exports(engine) {
            let ComponentItem::Resource(_) = item.ty else { continue };
            let resource = match name {
                "input-stream" => ResourceType::host::<Input>(),
                "output-stream" => ResourceType::host::<Output>(),
                "pollable" => ResourceType::host::<Pollable>(),
                "error" => ResourceType::host::<StreamFailure>(),
                _ => ResourceType::host::<Nothing>(),
            };
            self.instance.resource(name, resource, |_, _| Ok(()))?;
        }
        Ok(())
    }

    fn functions(&mut self, interface: &str) -> wasmtime::Result<()> {
        match interface {
            "wasi:cli/environment" => self.environment(),
            "wasi:cli/exit" => self.exit(),
            "wasi:cli/stdin" => self.answer("get-stdin", |()| (Resource::<Input>::new_own(0),)),
            "wasi:cli/stdout" => self.answer("get-stdout", |()| (Resource::<Output>::new_own(1),)),
            "wasi:cli/stderr" => self.answer("get-stderr", |()| (Resource::<Output>::new_own(STDERR),)),
            "wasi:cli/terminal-stdin" => self.answer("get-terminal-stdin", no_terminal),
            "wasi:cli/terminal-stdout" => self.answer("get-terminal-stdout", no_terminal),
            "wasi:cli/terminal-stderr" => self.answer("get-terminal-stderr", no_terminal),
            "wasi:clocks/wall-clock" => {
                self.answer("now", |()| (Datetime { seconds: 0, nanoseconds: 0 },))?;
                self.answer("resolution", |()| (Datetime { seconds: 1, nanoseconds: 0 },))
            }
            "wasi:clocks/monotonic-clock" => {
                self.answer("now", |()| (0_u64,))?;
                self.answer("resolution", |()| (1_u64,))?;
                self.answer("subscribe-instant", |(_,): (u64,)| (ready(),))?;
                self.answer("subscribe-duration", |(_,): (u64,)| (ready(),))
            }
            "wasi:random/random" => self.random("get-random-bytes", "get-random-u64"),
            "wasi:random/insecure" => self.random("get-insecure-random-bytes", "get-insecure-random-u64"),
            "wasi:random/insecure-seed" => self.answer("insecure-seed", |()| ((1_u64, 2_u64),)),
            "wasi:io/poll" => self.poll(),
            "wasi:io/error" => self
                .answer("[method]error.to-debug-string", |(_,): (Resource<StreamFailure>,)| {
                    ("there is no error".to_owned(),)
                }),
            "wasi:io/streams" => {
                self.input_streams()?;
                self.output_streams()
            }
            "wasi:filesystem/preopens" => {
                self.answer("get-directories", |()| (Vec::<(Resource<Nothing>, String)>::new(),))
            }
            _ => Ok(()),
        }
    }

    /// Defines a function that only answers.
    fn answer<P, A>(
        &mut self,
        name: &str,
        answer: impl Fn(P) -> A + Send + Sync + 'static,
    ) -> wasmtime::Result<()>
    where
        P: ComponentNamedList + Lift + 'static,
        A: ComponentNamedList + Lower + 'static,
    {
        self.instance.func_wrap(name, move |_, given: P| Ok(answer(given)))
    }

    fn environment(&mut self) -> wasmtime::Result<()> {
        self.answer("get-environment", |()| (Vec::<(String, String)>::new(),))?;
        self.answer("get-arguments", |()| (Vec::<String>::new(),))?;
        self.answer("initial-cwd", |()| (None::<String>,))
    }

    fn exit(&mut self) -> wasmtime::Result<()> {
        let ends = |_: StoreContextMut<'_, StoreLimits>, (_,): (Result<(), ()>,)| -> wasmtime::Result<()> {
            Err(wasmtime::Error::msg("it ended itself"))
        };
        self.instance.func_wrap("exit", ends)
    }

    fn random(&mut self, bytes: &str, number: &str) -> wasmtime::Result<()> {
        self.instance.func_wrap(bytes, |mut store: StoreContextMut<'_, StoreLimits>, (count,): (u64,)| {
            if count > RANDOM_BYTES_MAX {
                return Err(wasmtime::Error::msg(format!("it wants {count} random bytes at once")));
            }
            let numbers = (0..count.div_ceil(8)).flat_map(|_| store.data_mut().next_number().to_le_bytes());
            let count = usize::try_from(count).unwrap_or_default();
            Ok((numbers.take(count).collect::<Vec<u8>>(),))
        })?;
        self.instance.func_wrap(number, |mut store: StoreContextMut<'_, StoreLimits>, ()| {
            Ok((store.data_mut().next_number(),))
        })
    }

    fn poll(&mut self) -> wasmtime::Result<()> {
        self.answer("poll", |(all,): (Vec<Resource<Pollable>>,)| {
            ((0_u32..).take(all.len()).collect::<Vec<_>>(),)
        })?;
        self.answer("[method]pollable.ready", |(_,): (Resource<Pollable>,)| (true,))?;
        self.answer("[method]pollable.block", |(_,): (Resource<Pollable>,)| ())
    }

    /// Every one is at its end.
    fn input_streams(&mut self) -> wasmtime::Result<()> {
        for name in ["read", "blocking-read"] {
            let name = format!("[method]input-stream.{name}");
            self.answer(&name, |(_, _): (Resource<Input>, u64)| -> StreamAnswer<Vec<u8>> { closed() })?;
        }
        for name in ["skip", "blocking-skip"] {
            let name = format!("[method]input-stream.{name}");
            self.answer(&name, |(_, _): (Resource<Input>, u64)| -> StreamAnswer<u64> { closed() })?;
        }
        self.answer("[method]input-stream.subscribe", |(_,): (Resource<Input>,)| (ready(),))
    }

    /// Every one takes everything.
    fn output_streams(&mut self) -> wasmtime::Result<()> {
        let room = |(_,): (Resource<Output>,)| -> StreamAnswer<u64> { (Ok(WRITE_BYTES),) };
        self.answer("[method]output-stream.check-write", room)?;
        for name in ["write", "blocking-write-and-flush"] {
            let write = |mut store: StoreContextMut<'_, StoreLimits>,
                         (stream, bytes): (Resource<Output>, Vec<u8>)|
             -> wasmtime::Result<StreamAnswer<()>> {
                if stream.rep() == STDERR {
                    store.data_mut().say(&bytes);
                }
                Ok((Ok(()),))
            };
            self.instance.func_wrap(&format!("[method]output-stream.{name}"), write)?;
        }
        for name in ["flush", "blocking-flush"] {
            let name = format!("[method]output-stream.{name}");
            self.answer(&name, |(_,): (Resource<Output>,)| -> StreamAnswer<()> { (Ok(()),) })?;
        }
        for name in ["write-zeroes", "blocking-write-zeroes-and-flush"] {
            let name = format!("[method]output-stream.{name}");
            self.answer(&name, |(_, _): (Resource<Output>, u64)| -> StreamAnswer<()> { (Ok(()),) })?;
        }
        for name in ["splice", "blocking-splice"] {
            let name = format!("[method]output-stream.{name}");
            let splice =
                |(_, _, _): (Resource<Output>, Resource<Input>, u64)| -> StreamAnswer<u64> { closed() };
            self.answer(&name, splice)?;
        }
        self.answer("[method]output-stream.subscribe", |(_,): (Resource<Output>,)| (ready(),))
    }
}

fn closed<T>() -> StreamAnswer<T> {
    (Err(StreamError::Closed),)
}

fn ready() -> Resource<Pollable> {
    Resource::new_own(0)
}

fn no_terminal((): ()) -> (Option<Resource<Nothing>>,) {
    (None,)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_wasi_of_version_0_2_without_services_is_answered() {
        for answered in ["wasi:io/poll@0.2.9", "wasi:cli/stderr@0.2.12", "wasi:sockets/tcp@0.2.0"] {
            assert!(is_answered(answered), "{answered}");
        }
        for refused in
            ["wasi:http/types@0.2.9", "wasi:cli/run@0.3.0", "wasi:io", "perennial:provider/types@0.2.0"]
        {
            assert!(!is_answered(refused), "{refused}");
        }
    }
}

//! The sandbox: plugins as WebAssembly components, which answer and have no powers.

//! `cargo bench`: how fast Perennial is and how much memory it takes, each figure beside what it is compared with.
//!
//! Both sides of a ratio are measured in one run, in turns, and the best of a few rounds counts: a busy machine slows
//! both. Figures are printed and judged by people; nothing here fails because of them.

mod arguments;
mod attack;
mod connected;
mod endpoint;
mod figures;
mod forecast;
mod languages;
mod load;
mod native;
mod native_policies;
mod pages;
mod policies;
mod revisions;
mod sandbox;
mod server;
mod serving;
mod signing;
mod simulation;
mod tick;
mod world;

use std::process::ExitCode;

use clap::Parser;

use crate::arguments::Arguments;
use crate::arguments::Part;

fn main() -> anyhow::Result<ExitCode> {
    if simulation::is_child() {
        return Ok(simulation::child());
    }
    if load::is_child() {
        load::child()?;
        return Ok(ExitCode::SUCCESS);
    }
    if connected::is_child() {
        connected::child()?;
        return Ok(ExitCode::SUCCESS);
    }
    let arguments = Arguments::parse();
    for part in arguments.parts() {
        match part {
            Part::Sandbox => sandbox::measure(&arguments)?,
            Part::Tick => tick::measure(&arguments)?,
            Part::Scale => tick::measure_scale(&arguments)?,
            Part::Simulate => simulation::measure(&arguments)?,
            Part::Serve => serving::measure(&arguments)?,
            Part::Forecast => forecast::measure(&arguments)?,
            Part::Pages => pages::measure(&arguments)?,
            Part::Endpoint => endpoint::measure(&arguments)?,
            Part::Attack => attack::measure(&arguments)?,
            Part::Connected => connected::measure(&arguments)?,
            Part::Revisions => revisions::measure(&arguments)?,
            Part::Languages => languages::measure()?,
            Part::Policies => {
                policies::measure_chain(&arguments)?;
                policies::measure_tick(&arguments)?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

//! Asks scripts about the plans of a batch, and keeps the money that each plan of an account leaves to the next.

use std::cell::Cell;
use std::cell::OnceCell;
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

use rhai::AST;
use rhai::CallFnOptions;
use rhai::Dynamic;
use rhai::Engine;
use rhai::Position;
use rhai::Scope;
use rhai::debugger::DebuggerCommand;
use rhai::debugger::DebuggerEvent;

use crate::calendar::Instant;
use crate::compile;
use crate::context::Context;
use crate::failure;
use crate::failure::Outcome;
use crate::failure::RULE;
use crate::language;
use crate::lines;
use crate::plan;
use crate::plan::Plan;
use crate::plan::Words;
use crate::ruling::RulingValue;
use crate::rulings::Batch;
use crate::rulings::Failure;
use crate::rulings::Figures;
use crate::rulings::PolicyAnswer;
use crate::rulings::Results;
use crate::rulings::Ruling;
use crate::types::Calendar;
use crate::types::Script;
use crate::work;

/// Asks the scripts that each plan names.
pub fn rule(scripts: &[Script], calendars: &[Calendar], batch: &Batch) -> Results {
    let context = Context::new(calendars);
    let engine = language::engine(&context);
    Interpreter::new(engine, context, (scripts, calendars), Rc::default()).run(batch)
}

/// The same, with the lines of each script that were run.
pub fn trace(scripts: &[Script], calendars: &[Calendar], batch: &Batch) -> (Results, Vec<Vec<u32>>) {
    let context = Context::new(calendars);
    let mut engine = language::engine(&context);
    let reached = Rc::new(RefCell::new(vec![BTreeSet::<u32>::new(); scripts.len()]));
    let current = Rc::new(Cell::new(0));
    let (seen, script) = (Rc::clone(&reached), Rc::clone(&current));
    observe(&mut engine, move |_, position| {
        if let Some(line) = position.line() {
            seen.borrow_mut()[script.get()].insert(u32::try_from(line).unwrap_or(0));
        }
    });
    let interpreter = Interpreter::new(engine, context, (scripts, calendars), current);
    let results = interpreter.run(batch);
    let seen = reached.borrow();
    let run = seen.iter().enumerate().map(|(script, seen)| {
        let all = interpreter
            .compiled(script)
            .as_ref()
            .map(|compiled| lines::of(&compiled.ast))
            .unwrap_or_default();
        all.into_iter().filter(|line| seen.contains(line)).collect()
    });
    let run = run.collect();
    (results, run)
}

/// What is left of an account's money between two of its plans.
#[derive(Clone, Copy)]
struct Running {
    figures: Figures,
    /// Whether what is spent counts; without a budget it stays zero.
    has_budget: bool,
    /// The month that `spent` is about; `None` before the first plan.
    month: Option<i32>,
}

/// A script as it can be run.
struct CompiledScript {
    ast: AST,
    /// The items of its longest literal.
    longest_literal: u64,
}

struct Interpreter<'s> {
    engine: Engine,
    context: Rc<Context>,
    /// Each is compiled when it is first asked, so that none pays for another.
    scripts: Vec<(&'s str, OnceCell<Result<CompiledScript, Failure>>)>,
    current: Rc<Cell<usize>>,
    calendars: &'s [Calendar],
}

impl<'s> Interpreter<'s> {
    fn new(
        engine: Engine,
        context: Rc<Context>,
        (scripts, calendars): (&'s [Script], &'s [Calendar]),
        current: Rc<Cell<usize>>,
    ) -> Self {
        let scripts = scripts.iter().map(|script| (compile::text_of(script), OnceCell::new())).collect();
        Interpreter { engine, context, scripts, current, calendars }
    }

    fn run(&self, batch: &Batch) -> Results {
        let words = Words::of(batch);
        let before = batch.accounts.iter().map(|account| Running {
            figures: Figures {
                balance: account.balance,
                spent: account.budget.map_or(0, |budget| budget.spent),
            },
            has_budget: account.budget.is_some(),
            month: None,
        });
        let mut running = before.collect::<Vec<_>>();
        let mut results = Results {
            figures: Vec::with_capacity(batch.plans.len()),
            answers: Vec::with_capacity(batch.asked.len()),
        };
        for (index, plan) in batch.plans.iter().enumerate() {
            let account = plan.account as usize;
            let offset = batch.accounts[account].utc_offset_minutes;
            let money = &mut running[account];
            money.enter(Instant(plan.at).month(offset));
            results.figures.push(money.figures);
            self.context.utc_offset_minutes.set(offset);
            let shown = Plan::new(batch, &words, index, money.figures);
            let first = results.answers.len();
            for script in plan::range(&batch.asked, plan.policies) {
                results.answers.push(self.ask(*script as usize, &shown));
            }
            let is_approved = results.answers[first..].iter().all(|answer| answer.ruling == Ruling::Approve);
            if is_approved && !plan.is_pending {
                money.pay(plan.cost.unwrap_or(0), plan.refund.unwrap_or(0));
            }
        }
        results
    }

    /// The script at this place, compiled.
    fn compiled(&self, script: usize) -> &Result<CompiledScript, Failure> {
        let (text, compiled) = &self.scripts[script];
        compiled.get_or_init(|| {
            let ast = compile::compile(&self.engine, text).map_err(compile::failure)?;
            Ok(CompiledScript { longest_literal: work::longest_literal(&ast), ast })
        })
    }

    fn ask(&self, script: usize, plan: &Plan) -> PolicyAnswer {
        self.current.set(script);
        let text = self.scripts[script].0;
        let ruling = match self.compiled(script) {
            Ok(compiled) => self.call(compiled, text, plan),
            Err(failure) => Ruling::Failed(failure.clone()),
        };
        PolicyAnswer { ruling, notes: self.context.notes.take().into_texts() }
    }

    /// The function and the place at which a script meets a limit. Where Rhai does not know the place, the script is run
    /// again, slowly, and does the same.
    fn locate(&self, compiled: &CompiledScript, plan: &Plan, place: Position) -> (String, Position) {
        if !place.is_none() {
            return (lines::function_at(&compiled.ast, place), place);
        }
        let context = Context::new(self.calendars);
        context.work.begin(compiled.longest_literal);
        context.utc_offset_minutes.set(self.context.utc_offset_minutes.get());
        let mut engine = language::engine(&context);
        let last = Rc::new(RefCell::new((RULE.to_owned(), Position::NONE)));
        let seen = Rc::clone(&last);
        observe(&mut engine, move |function, position| {
            let mut last = seen.borrow_mut();
            if let Some(function) =
                function.filter(|function| last.0 != *function && !function.starts_with("anon$"))
            {
                function.clone_into(&mut last.0);
            }
            if !position.is_none() {
                last.1 = position;
            }
        });
        let _ = call(&engine, &compiled.ast, plan);
        last.replace((String::new(), Position::NONE))
    }

    fn call(&self, compiled: &CompiledScript, text: &str, plan: &Plan) -> Ruling {
        self.context.work.begin(compiled.longest_literal);
        match call(&self.engine, &compiled.ast, plan) {
            Err(error) => {
                Ruling::Failed(failure::of_run(error, text, |place| self.locate(compiled, plan, place)))
            }
            Ok(value) => match value.clone().try_cast::<RulingValue>() {
                Some(RulingValue(ruling)) => ruling,
                None => Ruling::Failed(failure::of_value(&value, text)),
            },
        }
    }
}

fn call(engine: &Engine, ast: &AST, plan: &Plan) -> Outcome<Dynamic> {
    let options = CallFnOptions::new().eval_ast(!ast.statements().is_empty()).rewind_scope(true);
    let plan = Dynamic::from(plan.clone()).into_read_only();
    engine.call_fn_with_options(options, &mut Scope::new(), ast, RULE, (plan,))
}

/// Gives `engine` a debugger that is told every step: the function and the position.
#[expect(deprecated, reason = "rhai marks what may change so; its version is pinned")]
fn observe(engine: &mut Engine, step: impl FnMut(Option<&str>, Position) + 'static) {
    let step = RefCell::new(step);
    engine.register_debugger(
        |_, debugger| debugger,
        move |context, event, _, _, position| {
            if !matches!(event, DebuggerEvent::Step) {
                return Ok(DebuggerCommand::StepInto);
            }
            let calls = context.global_runtime_state().debugger().call_stack();
            (step.borrow_mut())(calls.last().map(|call| call.fn_name.as_str()), position);
            Ok(DebuggerCommand::StepInto)
        },
    );
}

impl Running {
    /// A plan of this month is next: a new month begins with nothing spent.
    fn enter(&mut self, month: i32) {
        if self.month.is_some_and(|last| last != month) {
            self.figures.spent = 0;
        }
        self.month = Some(month);
    }

    /// Takes a plan to be paid, if the balance covers it.
    fn pay(&mut self, cost: i64, refund: i64) {
        if cost <= self.figures.balance || cost == 0 {
            let net = cost.saturating_sub(refund);
            self.figures.balance = self.figures.balance.saturating_sub(net);
            if self.has_budget {
                self.figures.spent = self.figures.spent.saturating_add(net);
            }
        }
    }
}

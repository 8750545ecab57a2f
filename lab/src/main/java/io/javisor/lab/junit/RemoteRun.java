package io.javisor.lab.junit;

import io.javisor.lab.LabException;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.junit.platform.commons.support.AnnotationSupport;
import org.junit.platform.engine.CancellationToken;
import org.junit.platform.engine.EngineExecutionListener;
import org.junit.platform.engine.TestDescriptor;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.engine.TestSource;
import org.junit.platform.engine.TestTag;
import org.junit.platform.engine.UniqueId;
import org.junit.platform.engine.reporting.ReportEntry;
import org.junit.platform.engine.support.descriptor.ClassSource;
import org.junit.platform.engine.support.descriptor.MethodSource;
import org.opentest4j.TestAbortedException;

/**
 * Runs some classes in a lab and tells a listener what happens there, in its order. If the JVM ends under a test, or a test
 * hangs, that test fails and the rest runs in a new one; if the lab ends, or its emulator breaks a guest, the test gets one more
 * chance. For one thread.
 */
final class RemoteRun {
    /** For what an agent does before and after tests. */
    private static final Duration BETWEEN_TESTS = Duration.ofMinutes(5);

    private final LabPool pool;
    private final LabNeeds needs;
    private final UniqueId engine;
    private final EngineExecutionListener listener;
    private final CancellationToken cancellation;
    /** By Jupiter's ID. */
    private final Map<String, LabDescriptor> known = new HashMap<>();

    private final Map<String, LabDescriptor> pending = new LinkedHashMap<>();
    private final Set<LabDescriptor> open = new LinkedHashSet<>();
    private final Set<LabDescriptor> over = new LinkedHashSet<>();
    private final Set<LabDescriptor> givenAnotherChance = new HashSet<>();
    private long progress;
    private boolean again; // a test of this request is to run once more in the next

    RemoteRun(
            LabPool pool,
            LabNeeds needs,
            List<LabDescriptor> classes,
            UniqueId engine,
            EngineExecutionListener listener,
            CancellationToken cancellation) {
        this.pool = pool;
        this.needs = needs;
        this.engine = engine;
        this.listener = listener;
        this.cancellation = cancellation;
        classes.forEach(this::expect);
    }

    private void expect(TestDescriptor descriptor) {
        String id = jupiterId(descriptor);
        known.put(id, (LabDescriptor) descriptor);
        if (descriptor.getChildren().isEmpty()) {
            pending.put(id, (LabDescriptor) descriptor);
        }
        descriptor.getChildren().forEach(this::expect);
    }

    private static String jupiterId(TestDescriptor descriptor) {
        return LabDescriptor.swapEngine(descriptor.getUniqueId(), UniqueId.forEngine(LabTestEngine.JUPITER))
                .toString();
    }

    /**
     * Runs them all.
     *
     * @throws LabException if there is no lab to be had; what has not run then is told by nobody yet
     */
    void run() throws InterruptedException {
        while (!pending.isEmpty()) {
            AgentConnection agent;
            String end;
            try {
                agent = pool.agent(needs);
                progress = System.nanoTime();
                again = false;
                agent.run(List.copyOf(pending.keySet()));
                end = follow(agent);
            } catch (IOException e) {
                end = String.valueOf(e.getMessage());
            }
            if (end == null) {
                if (again) {
                    continue;
                }
                break;
            }
            boolean labEnded = !pool.isLabAlive();
            pool.dropAgent();
            if (labEnded && deservesAnotherLab(end)) {
                continue;
            }
            if (!blame(end)) {
                // Not the fault of a test: another try would end the same way.
                skipOrFailRest(new LabTestFailure("the lab failed", end + "\n" + pool.consoleTail(), null), null);
            }
        }
        pending.clear();
        for (LabDescriptor each : List.copyOf(open).reversed()) {
            finish(each, each.isTest() ? lost() : TestExecutionResult.successful());
        }
    }

    /** Ends what has not run: skipped for a reason, or failed. */
    void skipOrFailRest(Throwable failure, @Nullable String skipReason) {
        for (LabDescriptor test : List.copyOf(pending.values())) {
            if (over.contains(test)) {
                continue;
            }
            startParents(test);
            if (skipReason != null) {
                skip(test, skipReason);
            } else {
                start(test);
                finish(test, TestExecutionResult.failed(failure));
            }
        }
        for (LabDescriptor container : List.copyOf(open).reversed()) {
            finish(container, TestExecutionResult.successful());
        }
    }

    private void startParents(LabDescriptor test) {
        if (test.getParent().orElse(null) instanceof LabDescriptor parent) {
            startParents(parent);
            start(parent);
        }
    }

    /** Follows the agent to the end of the request: null, or why it did not come to it. */
    private @Nullable String follow(AgentConnection agent) throws InterruptedException {
        for (; ; ) {
            Duration limit = timeout();
            Duration left = limit.minus(Duration.ofNanos(System.nanoTime() - progress));
            AgentConnection.Message message = agent.next(left.isNegative() ? Duration.ZERO : left);
            if (cancellation.isCancellationRequested()) {
                pool.dropAgent();
                skipOrFailRest(new IllegalStateException("cancelled"), "the run was cancelled");
                return null;
            }
            switch (message) {
                case null -> {
                    return hang(agent, limit);
                }
                case AgentConnection.Message.Lost(String reason) -> {
                    return reason;
                }
                case AgentConnection.Message.Said(Event.Done _) -> {
                    return null;
                }
                case AgentConnection.Message.Said(Event event) -> {
                    if (!(event instanceof Event.Output)) {
                        progress = System.nanoTime();
                    }
                    tell(event);
                }
            }
        }
    }

    /** How long what runs now may give no sign of life: as its class says. */
    private Duration timeout() {
        TestDescriptor at = open.isEmpty() ? null : List.copyOf(open).getLast();
        while (at != null) {
            if (at.getSource().orElse(null) instanceof ClassSource source) {
                LabTest test = AnnotationSupport.findAnnotation(source.getJavaClass(), LabTest.class)
                        .orElse(null);
                if (test != null) {
                    return Duration.ofSeconds(test.timeout());
                }
            }
            at = at.getParent().orElse(null);
        }
        return BETWEEN_TESTS;
    }

    private String hang(AgentConnection agent, Duration limit) throws InterruptedException {
        String stacks = agent.threadDump(Duration.ofSeconds(20));
        LabDescriptor last = open.isEmpty() ? null : List.copyOf(open).getLast();
        String name = last != null && last.getSource().orElse(null) instanceof MethodSource source
                ? source.getClassName().replaceFirst(".*[.$]", "") + "." + source.getMethodName()
                : "class";
        String file = "hang-" + name + ".txt";
        return "no sign of life for " + limit.toSeconds() + " s; its threads (" + pool.keep(file, stacks) + "):\n"
                + stacks;
    }

    /**
     * Whether the test that ran when its lab ended is to run once more, in a new one. An emulator or a host's kernel that dies
     * says little about the test; if it happens again, it does.
     */
    private boolean deservesAnotherLab(String reason) {
        if (open.isEmpty() || !givenAnotherChance.add(List.copyOf(open).getLast())) {
            return false;
        }
        System.err.println("The lab ended under " + List.copyOf(open).getLast().getDisplayName()
                + ", which now runs once more, in a new one: " + reason);
        return true;
    }

    /** Whether a test that failed is to run once more: what its guest said is what this lab's emulator does to guests. */
    private boolean deservesAnotherGuest(LabDescriptor test, Event.Finished e) {
        if (!e.status().equals("FAILED")
                || e.thrown() == null
                || !test.isTest()
                || !pending.containsKey(jupiterId(test))
                || !EmulatorFault.isIn(e.thrown())
                || !givenAnotherChance.add(test)) {
            return false;
        }
        again = true;
        System.err.println(test.getDisplayName()
                + " runs once more: the lab's emulator gave its guest an interrupt while it had them off: "
                + e.thrown().message());
        return true;
    }

    /** Fails the test that ran when it happened; false if none did. */
    private boolean blame(String reason) {
        if (open.isEmpty()) {
            return false;
        }
        LabDescriptor culprit = List.copyOf(open).getLast();
        finish(
                culprit,
                TestExecutionResult.failed(
                        new LabTestFailure("the lab lost the test", reason + "\n" + pool.consoleTail(), null)));
        return true;
    }

    private void tell(Event event) {
        switch (event) {
            case Event.Registered e -> register(e);
            case Event.Started(String id) -> {
                LabDescriptor test = known.get(id);
                if (test != null) {
                    start(test);
                }
            }
            case Event.Skipped(String id, String reason) -> {
                LabDescriptor test = known.get(id);
                if (test != null) {
                    skip(test, reason);
                }
            }
            case Event.Finished e -> {
                LabDescriptor test = known.get(e.id());
                if (test != null && open.contains(test) && !deservesAnotherGuest(test, e) && !runsAgain(test)) {
                    if (test.isTest() && !e.status().equals("ABORTED")) {
                        pool.ran(declared(test));
                    }
                    // What was to run once more in it, and did not come to it, since the container failed this time.
                    for (LabDescriptor each : List.copyOf(open).reversed()) {
                        if (each.isTest() && test.getDescendants().contains(each)) {
                            finish(each, lost());
                        }
                    }
                    finish(test, result(e));
                }
            }
            case Event.Reported(String id, Map<String, String> entries) -> {
                LabDescriptor test = known.get(id);
                if (test != null) {
                    listener.reportingEntryPublished(test, ReportEntry.from(entries));
                }
            }
            case Event.Output(boolean error, String text) -> (error ? System.err : System.out).print(text);
            case Event.Ready _, Event.Dump _, Event.Done _ -> {}
        }
    }

    private void register(Event.Registered e) {
        LabDescriptor parent = known.get(e.parent());
        if (parent == null || known.containsKey(e.id())) {
            return;
        }
        Set<TestTag> tags = e.tags().stream().map(TestTag::create).collect(Collectors.toSet());
        TestDescriptor.Type type = e.test()
                ? e.container() ? TestDescriptor.Type.CONTAINER_AND_TEST : TestDescriptor.Type.TEST
                : TestDescriptor.Type.CONTAINER;
        LabDescriptor test = new LabDescriptor(
                LabDescriptor.swapEngine(UniqueId.parse(e.id()), engine),
                e.displayName(),
                e.legacyName(),
                source(e),
                type,
                tags,
                e.container());
        parent.addChild(test);
        known.put(e.id(), test);
        listener.dynamicTestRegistered(test);
    }

    private static @Nullable TestSource source(Event.Registered e) {
        if (e.className() == null) {
            return null;
        }
        return e.methodName() == null
                ? ClassSource.from(e.className())
                : MethodSource.from(e.className(), e.methodName(), e.parameterTypes());
    }

    private static TestExecutionResult result(Event.Finished e) {
        return switch (e.status()) {
            case "SUCCESSFUL" -> TestExecutionResult.successful();
            case "ABORTED" ->
                TestExecutionResult.aborted(new TestAbortedException(
                        e.thrown() == null
                                ? "aborted"
                                : String.valueOf(e.thrown().message())));
            default ->
                TestExecutionResult.failed(
                        e.thrown() == null
                                ? new LabTestFailure("failed", null, null)
                                : e.thrown().toThrowable());
        };
    }

    /** The ID of the method as written in the class, for a test that it has made. */
    private static String declared(LabDescriptor test) {
        TestDescriptor at = test;
        while (at.getSource().orElse(null) instanceof MethodSource
                && at.getParent().isPresent()
                && at.getParent().get().getSource().orElse(null) instanceof MethodSource) {
            at = at.getParent().get();
        }
        return at.getUniqueId().toString();
    }

    private void start(LabDescriptor test) {
        if (!over.contains(test) && open.add(test)) {
            listener.executionStarted(test);
        }
    }

    private void skip(LabDescriptor test, String reason) {
        if (!over.contains(test) && !open.contains(test)) {
            settle(test);
            listener.executionSkipped(test, reason);
        }
    }

    private static TestExecutionResult lost() {
        return TestExecutionResult.failed(new LabTestFailure("was to run once more, and did not", null, null));
    }

    /** Whether something in a container that has ended is yet to run once more. */
    private boolean runsAgain(LabDescriptor container) {
        return again
                && container.getDescendants().stream()
                        .anyMatch(each -> open.contains((LabDescriptor) each) && givenAnotherChance.contains(each));
    }

    private void finish(LabDescriptor test, TestExecutionResult result) {
        if (open.remove(test)) {
            settle(test);
            listener.executionFinished(test, result);
        }
    }

    /** Neither it nor what is below it will run again. */
    private void settle(TestDescriptor test) {
        over.add((LabDescriptor) test);
        pending.remove(jupiterId(test));
        for (TestDescriptor child : new ArrayList<>(test.getChildren())) {
            settle(child);
        }
    }
}

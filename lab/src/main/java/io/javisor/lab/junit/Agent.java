package io.javisor.lab.junit;

import io.javisor.lab.HeldKvm;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import org.jspecify.annotations.Nullable;
import org.junit.platform.engine.DiscoverySelector;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.engine.TestTag;
import org.junit.platform.engine.discovery.DiscoverySelectors;
import org.junit.platform.engine.reporting.ReportEntry;
import org.junit.platform.engine.support.descriptor.ClassSource;
import org.junit.platform.engine.support.descriptor.MethodSource;
import org.junit.platform.launcher.EngineFilter;
import org.junit.platform.launcher.Launcher;
import org.junit.platform.launcher.LauncherSession;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;

/**
 * The lab's side of the tests: a JVM that runs what it is asked to by Jupiter and reports on its standard output. One
 * thread runs tests, one reads requests, so that a hung test can still be asked where it hangs.
 */
public final class Agent implements TestExecutionListener {
    /** Set to true in the JVMs that run in the lab. */
    static final String INSIDE = "javisor.lab.inside";

    private final DataOutputStream out;

    private Agent(OutputStream out) {
        this.out = new DataOutputStream(new BufferedOutputStream(out, 1 << 16));
    }

    /** Whether this JVM is the one in the lab. */
    static boolean isInside() {
        return Boolean.getBoolean(INSIDE);
    }

    /** Serves requests until standard input ends. */
    public static void main(String[] arguments) throws InterruptedException {
        Agent agent = new Agent(new FileOutputStream(FileDescriptor.out));
        DataInputStream in = new DataInputStream(System.in);
        System.setOut(agent.stream(false));
        System.setErr(agent.stream(true));
        BlockingQueue<List<String>> requests = new LinkedBlockingQueue<>();
        Thread.ofPlatform().daemon().name("lab-requests").start(() -> agent.readRequests(in, requests));
        try (HeldKvm _ = HeldKvm.open();
                LauncherSession session = LauncherFactory.openSession()) {
            Launcher launcher = session.getLauncher();
            agent.send(new Event.Ready());
            List<String> ids = requests.take();
            while (!ids.isEmpty()) {
                agent.run(launcher, ids);
                agent.send(new Event.Done());
                ids = requests.take();
            }
        }
        // Threads that tests have left behind do not keep the lab.
        System.exit(0);
    }

    private void readRequests(DataInputStream in, BlockingQueue<List<String>> requests) {
        try {
            for (; ; ) {
                switch (in.readUnsignedByte()) {
                    case Wire.RUN -> requests.add(Wire.readStrings(in));
                    case Wire.DUMP -> send(new Event.Dump(ThreadDump.ofAllThreads()));
                    default -> throw new IOException("unknown request");
                }
            }
        } catch (EOFException e) {
            // An empty list ends the main loop after what still runs.
            requests.add(List.of());
        } catch (IOException e) {
            Runtime.getRuntime().halt(1);
        }
    }

    private void run(Launcher launcher, List<String> ids) {
        List<? extends DiscoverySelector> selectors =
                ids.stream().map(DiscoverySelectors::selectUniqueId).toList();
        launcher.execute(
                LauncherDiscoveryRequestBuilder.request()
                        .selectors(selectors)
                        .filters(EngineFilter.includeEngines(LabTestEngine.JUPITER))
                        .build(),
                this);
    }

    private void send(Event event) {
        synchronized (out) {
            try {
                Wire.write(out, event);
            } catch (IOException e) {
                // Nobody listens any more.
                Runtime.getRuntime().halt(1);
            }
        }
    }

    private PrintStream stream(boolean error) {
        OutputStream target = new OutputStream() {
            @Override
            public void write(int b) {
                write(new byte[] {(byte) b}, 0, 1);
            }

            @Override
            public void write(byte[] bytes, int offset, int length) {
                send(new Event.Output(error, new String(bytes, offset, length, StandardCharsets.UTF_8)));
            }
        };
        return new PrintStream(new BufferedOutputStream(target, 8192), true, StandardCharsets.UTF_8);
    }

    @Override
    public void dynamicTestRegistered(TestIdentifier test) {
        String className = null;
        String methodName = null;
        String parameterTypes = "";
        switch (test.getSource().orElse(null)) {
            case MethodSource source -> {
                className = source.getClassName();
                methodName = source.getMethodName();
                parameterTypes = Objects.requireNonNullElse(source.getMethodParameterTypes(), "");
            }
            case ClassSource source -> className = source.getClassName();
            case null, default -> {}
        }
        send(new Event.Registered(
                test.getUniqueId(),
                test.getParentId().orElseThrow(),
                test.getDisplayName(),
                test.getLegacyReportingName(),
                test.isTest(),
                test.isContainer(),
                names(test.getTags()),
                className,
                methodName,
                parameterTypes));
    }

    private static List<String> names(Collection<TestTag> tags) {
        return tags.stream().map(TestTag::getName).toList();
    }

    @Override
    public void executionSkipped(TestIdentifier test, @Nullable String reason) {
        send(new Event.Skipped(test.getUniqueId(), reason == null ? "" : reason));
    }

    @Override
    public void executionStarted(TestIdentifier test) {
        send(new Event.Started(test.getUniqueId()));
    }

    @Override
    public void executionFinished(TestIdentifier test, TestExecutionResult result) {
        System.out.flush();
        System.err.flush();
        send(new Event.Finished(
                test.getUniqueId(),
                result.getStatus().name(),
                result.getThrowable().map(Thrown::of).orElse(null)));
    }

    @Override
    public void reportingEntryPublished(TestIdentifier test, ReportEntry entry) {
        send(new Event.Reported(test.getUniqueId(), entry.getKeyValuePairs()));
    }
}

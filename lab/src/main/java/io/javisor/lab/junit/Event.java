package io.javisor.lab.junit;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What the agent in the lab reports. IDs are Jupiter's. */
sealed interface Event {
    /** The agent takes requests. */
    record Ready() implements Event {}

    /** A container has made a test or another container while it ran. */
    record Registered(
            String id,
            String parent,
            String displayName,
            String legacyName,
            boolean test,
            boolean container,
            List<String> tags,
            @Nullable String className,
            @Nullable String methodName,
            String parameterTypes)
            implements Event {}

    /** A test or container begins. */
    record Started(String id) implements Event {}

    /** A test or container does not run. */
    record Skipped(String id, String reason) implements Event {}

    /** A test or container has ended: SUCCESSFUL, ABORTED or FAILED. */
    record Finished(String id, String status, @Nullable Thrown thrown) implements Event {}

    /** A test has something to report. */
    record Reported(String id, Map<String, String> entries) implements Event {}

    /** Something was written to a standard stream. */
    record Output(boolean error, String text) implements Event {}

    /** The stacks of all threads, as asked for. */
    record Dump(String text) implements Event {}

    /** All that was requested has been run. */
    record Done() implements Event {}
}

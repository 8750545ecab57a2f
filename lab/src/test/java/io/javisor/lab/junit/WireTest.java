package io.javisor.lab.junit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class WireTest {
    static Stream<Event> events() {
        Exception cause = new IOException((String) null);
        Exception thrown = new IllegalStateException("outer", cause);
        thrown.addSuppressed(new AssertionError("late 💥"));
        StackTraceElement[] frames = {
            new StackTraceElement("app", "java.base", "25", "java.lang.Thread", "run", "Thread.java", 1),
            new StackTraceElement("C", "m", null, -2)
        };
        thrown.setStackTrace(frames);
        cause.setStackTrace(frames);
        thrown.getSuppressed()[0].setStackTrace(new StackTraceElement[0]);
        return Stream.of(
                new Event.Ready(),
                new Event.Registered(
                        "[a]/[b]", "[a]", "name", "legacy", true, false, List.of("lab", "x"), "C", "m", "int, long"),
                new Event.Registered("", "", "", "", false, true, List.of(), null, null, ""),
                new Event.Started("id"),
                new Event.Skipped("id", "why"),
                new Event.Finished("id", "SUCCESSFUL", null),
                new Event.Finished("id", "FAILED", Thrown.of(thrown)),
                new Event.Reported("id", Map.of("key", "value", "other", "one")),
                new Event.Output(true, "text\n"),
                new Event.Dump("stacks"),
                new Event.Done());
    }

    private static byte[] written(Event... events) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (DataOutputStream out = new DataOutputStream(bytes)) {
            for (Event event : events) {
                Wire.write(out, event);
            }
        }
        return bytes.toByteArray();
    }

    private static DataInputStream in(byte... bytes) {
        return new DataInputStream(new ByteArrayInputStream(bytes));
    }

    @ParameterizedTest
    @MethodSource("events")
    void carriesEvents(Event event) throws IOException {
        DataInputStream in = in(written(event, new Event.Done()));
        assertThat(Wire.read(in)).isEqualTo(event);
        assertThat(Wire.read(in)).isEqualTo(new Event.Done());
        assertThat(in.available()).isZero();
    }

    /** An agent's JVM can end at any byte. */
    @ParameterizedTest
    @MethodSource("events")
    void tellsWhatIsCutShort(Event event) throws IOException {
        byte[] whole = written(event);
        for (int length = 0; length < whole.length; length++) {
            DataInputStream in = in(Arrays.copyOf(whole, length));
            assertThatThrownBy(() -> Wire.read(in)).isInstanceOf(IOException.class);
        }
    }

    @ParameterizedTest
    @ValueSource(bytes = {0, 'x', -1})
    void refusesWhatIsNoEvent(byte kind) {
        assertThatThrownBy(() -> Wire.read(in(kind, (byte) 0)))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("begins no event");
    }

    @Test
    void refusesLengthsThatCannotBe() {
        byte negative = (byte) 0x80;
        byte large = 0x7F;
        for (byte high : new byte[] {negative, large}) {
            assertThatThrownBy(() -> Wire.read(in((byte) 's', high, (byte) 0, (byte) 0, (byte) 0)))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("a string of");
            assertThatThrownBy(() -> Wire.readStrings(in(high, (byte) 0, (byte) 0, (byte) 0)))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("items");
        }
    }

    @Test
    void refusesCausesWithoutEnd() throws IOException {
        // One cause after the other: a type "", no message, no frames, nothing suppressed, and a cause.
        byte[] link = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        for (int i = 0; i < 100_000; i++) {
            bytes.write(link);
        }
        assertThatThrownBy(() -> Thrown.read(in(bytes.toByteArray())))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("causes");
    }

    @Test
    void makesThrowablesThatReadLikeTheOriginal() {
        Exception original = new IllegalStateException("outer", new IOException("inner"));
        Throwable copy = Thrown.of(original).toThrowable();
        assertThat(copy).hasToString(original.toString()).hasMessage("outer");
        assertThat(copy.getStackTrace()).isEqualTo(original.getStackTrace());
        assertThat(copy.getCause()).hasToString("java.io.IOException: inner");
    }

    @Test
    void boundsThrowablesThatCauseEachOther() {
        Exception one = new Exception("one");
        Exception two = new Exception("two", one);
        one.initCause(two);
        int causes = 0;
        for (Thrown at = Thrown.of(one); at != null; at = at.cause()) {
            causes++;
        }
        assertThat(causes).isBetween(2, 20);
    }
}

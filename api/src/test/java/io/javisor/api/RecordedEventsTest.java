package io.javisor.api;

import static org.assertj.core.api.Assertions.assertThat;

import io.javisor.api.events.DiskStall;
import io.javisor.api.events.MemoryChange;
import io.javisor.kvm.partition.EpollReactor;
import io.javisor.memory.DynamicMemory;
import io.javisor.memory.MachineMemory;
import io.javisor.memory.MemoryEvent;
import io.javisor.memory.MemoryStatus;
import io.javisor.storage.disk.MeteredDisk;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CountDownLatch;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import jdk.jfr.EventType;
import jdk.jfr.FlightRecorder;
import jdk.jfr.Recording;
import jdk.jfr.ValueDescriptor;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What machines tell the flight recorder: as docs/observability.md says, and with what happened in it. */
@Timeout(120)
class RecordedEventsTest {
    private static final Pattern ROW = Pattern.compile("(?m)^\\| `(io\\.javisor\\.\\w+)` \\| ([^|]*) \\|");
    private static final Pattern FIELD = Pattern.compile("`(\\w+)`");

    @TempDir
    private Path folder;

    private interface Work {
        void run() throws Exception;
    }

    /** What is recorded of Javisor's events while something happens. */
    private List<RecordedEvent> during(Map<String, Duration> thresholds, Work work) throws Exception {
        Path file = folder.resolve("events.jfr");
        try (var recording = new Recording()) {
            thresholds.forEach((name, threshold) -> recording.enable(name).withThreshold(threshold));
            recording.start();
            work.run();
            recording.stop();
            recording.dump(file);
        }
        return RecordingFile.readAllEvents(file).stream()
                .filter(e -> e.getEventType().getName().startsWith("io.javisor."))
                .toList();
    }

    private static List<RecordedEvent> named(List<RecordedEvent> all, String name) {
        return all.stream()
                .filter(e -> e.getEventType().getName().equals("io.javisor." + name))
                .toList();
    }

    @Test
    void documentedAsTheyAre() throws Exception {
        // Loads their classes, by which they are known to the recorder.
        try (var reactor = new EpollReactor("loaded")) {
            reactor.execute(() -> {});
        }
        EventType.getEventType(DiskStall.class);
        EventType.getEventType(MemoryChange.class);
        EventType.getEventType(io.javisor.api.events.MachineStateChange.class);
        EventType.getEventType(io.javisor.api.events.StartPhase.class);
        assertThat(Class.forName("io.javisor.kvm.partition.SlowExit")).isNotNull();
        var said = new TreeMap<String, TreeSet<String>>();
        Matcher row = ROW.matcher(Files.readString(document()));
        while (row.find()) {
            var fields = new TreeSet<String>();
            Matcher field = FIELD.matcher(row.group(2));
            while (field.find()) {
                fields.add(field.group(1));
            }
            said.put(row.group(1), fields);
        }
        var there = new TreeMap<String, TreeSet<String>>();
        for (EventType type : FlightRecorder.getFlightRecorder().getEventTypes()) {
            if (type.getName().startsWith("io.javisor.")) {
                var fields = new TreeSet<String>();
                for (ValueDescriptor field : type.getFields()) {
                    if (!List.of("startTime", "duration", "eventThread", "stackTrace")
                            .contains(field.getName())) {
                        fields.add(field.getName());
                    }
                }
                there.put(type.getName(), fields);
            }
        }
        assertThat(there).hasSize(6).isEqualTo(said);
    }

    private static Path document() {
        Path at = Path.of("").toAbsolutePath();
        while (at != null && !Files.exists(at.resolve("docs/observability.md"))) {
            at = at.getParent();
        }
        return Objects.requireNonNull(at, "the project's folder").resolve("docs/observability.md");
    }

    @Test
    void lifeAndItsPhases() throws Exception {
        TinyKernel.assumeKvm();
        SpinKernel.writeTo(folder);
        List<RecordedEvent> all = during(Map.of(), () -> {
            try (VirtualMachine vm = SpinKernel.machine(folder).build()) {
                vm.start().await(Wait.forConsole("."), Duration.ofSeconds(30));
                vm.pause();
                vm.resume();
                vm.kill();
            }
        });
        List<String> states = new ArrayList<>();
        for (RecordedEvent e : named(all, "MachineState")) {
            assertThat(e.getString("machine")).isEqualTo("spin");
            states.add(e.getString("from") + " " + e.getString("to") + " " + e.getString("outcome"));
        }
        assertThat(states)
                .containsExactly(
                        "CREATED STARTING ",
                        "STARTING RUNNING ",
                        "RUNNING PAUSED ",
                        "PAUSED RUNNING ",
                        "RUNNING STOPPED " + new Outcome.Killed(),
                        "STOPPED CLOSED ");
        assertThat(named(all, "StartPhase").stream()
                        .map(e -> e.getString("machine") + " " + e.getString("part"))
                        .distinct())
                .containsExactly(
                        "spin FILES", "spin MEMORY", "spin PARTITION", "spin DEVICES", "spin LOAD", "spin RUN");
        assertThat(named(all, "StartPhase")).allMatch(e -> e.getDuration().isPositive());
    }

    @Test
    void exitsThatTakeLongAndNoOthers() throws Exception {
        TinyKernel.assumeKvm();
        SpinKernel.writeTo(folder);
        Work run = () -> {
            try (VirtualMachine vm = SpinKernel.machine(folder).build()) {
                vm.start().await(Wait.forConsole("."), Duration.ofSeconds(30));
            }
        };
        // From 0 ns on, every exit is slow; from an hour on, none.
        List<RecordedEvent> every = named(during(Map.of("io.javisor.SlowExit", Duration.ZERO), run), "SlowExit");
        assertThat(every)
                .anySatisfy(e -> assertThat(e)
                        .returns("spin", x -> x.getString("machine"))
                        .returns(0, x -> x.getInt("vcpu"))
                        .returns("IO_OUT", x -> x.getString("reason"))
                        .returns("serial0", x -> x.getString("device"))
                        .returns(0x3F8L, x -> x.getLong("address")));
        assertThat(named(during(Map.of("io.javisor.SlowExit", Duration.ofHours(1)), run), "SlowExit"))
                .isEmpty();
    }

    @Test
    void tasksThatHoldAThreadOfManyMachines() throws Exception {
        List<RecordedEvent> all = during(Map.of("io.javisor.IoThreadStall", Duration.ofMillis(1)), () -> {
            try (var reactor = new EpollReactor("stalled")) {
                var done = new CountDownLatch(1);
                reactor.execute(() -> {
                    long end = System.nanoTime() + 5_000_000;
                    while (System.nanoTime() < end) {
                        Thread.onSpinWait();
                    }
                });
                reactor.execute(done::countDown);
                done.await();
            }
        });
        assertThat(named(all, "IoThreadStall")).anySatisfy(e -> {
            assertThat(e.getString("task")).isEqualTo(RecordedEventsTest.class.getName());
            assertThat(e.getThread().getJavaName()).isEqualTo("stalled");
            assertThat(e.getDuration()).isGreaterThanOrEqualTo(Duration.ofMillis(5));
        });
    }

    @Test
    void whatHappensToMemory() throws Exception {
        Instant now = Instant.now();
        DynamicMemory limits =
                DynamicMemory.of(128 << 20, d -> d.minimum(64 << 20).maximum(512 << 20));
        List<MemoryEvent> each = List.of(
                new MemoryEvent.DriverReady(now, "2.0", true, true),
                new MemoryEvent.DriverGone(now),
                new MemoryEvent.Ballooned(now, 20, 10),
                new MemoryEvent.Unballooned(now, 11),
                new MemoryEvent.HotAdded(now, 0, 20, 12, false),
                new MemoryEvent.Overdue(now, "request"),
                new MemoryEvent.NotOnline(now, 13),
                new MemoryEvent.Strayed(now, 14),
                new MemoryEvent.Refused(now, "no"),
                new MemoryEvent.Paged(now, 15),
                new MemoryEvent.StatusChanged(now, MemoryStatus.OK, MemoryStatus.LOW),
                new MemoryEvent.LimitsChanged(now, limits));
        List<RecordedEvent> all = named(
                during(Map.of(), () -> each.forEach(event -> new MemoryChange("m", event).commit())), "MemoryChange");
        assertThat(all).hasSameSizeAs(each);
        for (int i = 0; i < all.size(); i++) {
            assertThat(all.get(i).getString("kind"))
                    .isEqualTo(each.get(i).getClass().getSimpleName());
            assertThat(all.get(i).getString("detail")).isEqualTo(each.get(i).toString());
        }
        assertThat(all.stream().map(e -> e.getLong("bytes")))
                .containsExactly(0L, 0L, 10L, 11L, 12L, 0L, 13L, 14L, 0L, 15L, 0L, 0L);
    }

    @Test
    void aMachinesMemoryTellsIt() throws Exception {
        SpinKernel.writeTo(folder);
        TinyKernel.assumeKvm();
        List<RecordedEvent> all = during(Map.of(), () -> {
            try (VirtualMachine vm = SpinKernel.machine(folder)
                    .dynamicMemory(d -> d.minimum(32 << 20).maximum(64 << 20))
                    .build()) {
                MachineMemory memory = vm.memory();
                memory.change(d -> d.weight(9000));
            }
        });
        assertThat(named(all, "MemoryChange"))
                .singleElement()
                .returns("spin", e -> e.getString("machine"))
                .returns("LimitsChanged", e -> e.getString("kind"));
    }

    @Test
    void disksThatTakeLong() throws Exception {
        var stall = new MeteredDisk.Stall("flush", 123_456_789, false);
        List<RecordedEvent> all = during(Map.of(), () -> new DiskStall("m", "disk at 0:1", stall).commit());
        assertThat(named(all, "DiskStall"))
                .singleElement()
                .returns("m", e -> e.getString("machine"))
                .returns("disk at 0:1", e -> e.getString("drive"))
                .returns("flush", e -> e.getString("operation"))
                .returns(Duration.ofNanos(123_456_789), e -> e.getDuration("time"))
                .returns(false, e -> e.getBoolean("done"));
    }
}

package io.javisor.vmbus.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.javisor.partition.state.StateReader;
import io.javisor.partition.state.StateWriter;
import io.javisor.vmbus.guest.TestGuest;
import io.javisor.vmbus.protocol.VmBusVersion;
import io.javisor.vmbus.protocol.Wire;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class IntegrationServiceTest {
    private static final Duration SECOND = Duration.ofSeconds(1);

    private final TestGuest guest = new TestGuest(1, 4 << 20);

    @AfterEach
    void close() {
        guest.close();
    }

    private GuestUtilities start(IntegrationService service) {
        guest.bus().add(service);
        guest.connect(VmBusVersion.V5_3);
        GuestUtilities utilities = new GuestUtilities(guest, service);
        assertThat(service.isReady()).isFalse();
        utilities.work();
        assertThat(service.isReady()).isTrue();
        return utilities;
    }

    private static int status(CompletableFuture<?> answer) {
        return ((IntegrationException) answer.exceptionNow()).status();
    }

    @Test
    void theHostSpeaksFirstAndTheVersionIsTheGuestsChoice() {
        ShutdownService service = new ShutdownService();
        GuestUtilities utilities = start(service);
        IcMessage first = utilities.requests.getFirst();
        assertThat(first.flags()).isEqualTo(IcMessage.FLAG_TRANSACTION | IcMessage.FLAG_REQUEST);
        ByteBuffer body = Wire.buffer(first.body().toByteArray());
        assertThat(body.getShort()).as("framework versions").isEqualTo((short) 2);
        assertThat(body.getShort()).as("message versions").isEqualTo((short) 4);
        var answer = service.request(ShutdownService.Kind.RESTART, true, "maintenance", SECOND);
        guest.run();
        utilities.work();
        assertThat(answer).isCompleted();
        IcMessage request = utilities.requests.getLast();
        assertThat(request.framework()).isEqualTo(new IcVersion(3, 0));
        assertThat(request.version()).isEqualTo(new IcVersion(3, 2));
        assertThat(request.type()).isEqualTo(3);
    }

    @Test
    void shutdownCarriesItsFlagsAndTheGuestsYes() {
        ShutdownService service = new ShutdownService();
        assertThat(service.request(ShutdownService.Kind.SHUTDOWN, false, "", SECOND))
                .as("no guest yet")
                .isCompletedExceptionally();
        GuestUtilities utilities = start(service);
        var answer = service.request(ShutdownService.Kind.HIBERNATE, true, "good night", SECOND);
        guest.run();
        assertThat(answer).isNotDone();
        utilities.work();
        assertThat(answer).isCompleted();
        ByteBuffer body = Wire.buffer(utilities.requests.getLast().body().toByteArray());
        assertThat(body.capacity()).isEqualTo(12 + 2048);
        assertThat(body.getInt(8)).as("hibernate, forced").isEqualTo(5);
        byte[] text = new byte[20];
        body.get(12, text);
        assertThat(new String(text, StandardCharsets.UTF_16LE)).isEqualTo("good night");

        utilities.answer = m -> GuestUtilities.with(m, 0x80004005, m.body().toByteArray());
        var refused = service.request(ShutdownService.Kind.HIBERNATE, true, "", SECOND);
        guest.run();
        utilities.work();
        assertThat(status(refused)).isEqualTo(0x80004005);
    }

    @Test
    void aGuestThatDoesNotAnswerTimesOutAndALateAnswerHarmsNothing() {
        ShutdownService service = new ShutdownService();
        GuestUtilities utilities = start(service);
        utilities.silent = true;
        var first = service.request(ShutdownService.Kind.SHUTDOWN, true, "", SECOND);
        var second = service.request(ShutdownService.Kind.RESTART, true, "", SECOND);
        guest.advance(Duration.ofMillis(1_500));
        assertThatThrownBy(first::join).hasMessageContaining("1000 ms");
        utilities.silent = false;
        utilities.work(); // the late answer to the first, then one to the second
        assertThat(second).isCompleted();
    }

    @Test
    void aClosedChannelFailsWhatWaits() {
        ShutdownService service = new ShutdownService();
        GuestUtilities utilities = start(service);
        var answer = service.request(ShutdownService.Kind.SHUTDOWN, true, "", SECOND);
        guest.run();
        utilities.channel.close();
        assertThatThrownBy(answer::join).hasMessageContaining("closed");
        assertThat(service.isReady()).isFalse();
        GuestUtilities again = new GuestUtilities(guest, service);
        again.work();
        assertThat(service.isReady()).as("reopened, negotiated anew").isTrue();
    }

    @Test
    void nothingInCommonMeansNotReady() {
        ShutdownService service = new ShutdownService();
        guest.bus().add(service);
        guest.connect(VmBusVersion.V5_3);
        var channel = guest.open(service.offer(), 5, 5);
        IcMessage offer = IcMessage.decode(channel.receive().payload());
        byte[] none = new byte[16];
        channel.send(0, response(GuestUtilities.with(offer, 0, none)), false);
        assertThat(service.isReady()).isFalse();
        byte[] foreign = {1, 0, 1, 0, 0, 0, 0, 0, 9, 0, 9, 0, 9, 0, 9, 0};
        channel.send(0, response(GuestUtilities.with(offer, 0, foreign)), false);
        assertThat(service.isReady()).isFalse();
        assertThat(guest.failures()).isEmpty();
    }

    private static byte[] response(IcMessage m) {
        return new IcMessage(m.framework(), m.type(), m.version(), m.status(), m.transaction(), 5, m.body()).encode();
    }

    @Test
    void timeIsSyncedOnceThenSampledAndSyncedOnRequest() {
        Instant now = Instant.parse("2026-11-22T02:00:00.123456700Z");
        TimeSyncService service = new TimeSyncService(guest.synIc(), InstantSource.fixed(now));
        GuestUtilities utilities = start(service);
        utilities.work();
        ByteBuffer first = Wire.buffer(utilities.requests.get(1).body().toByteArray());
        assertThat(first.capacity()).isEqualTo(22);
        long expected = 116_444_736_000_000_000L + (now.getEpochSecond() * 10_000_000L) + 1_234_567;
        assertThat(first.getLong(0)).isEqualTo(expected);
        assertThat(first.get(16)).as("SYNC").isEqualTo((byte) 1);
        guest.advance(TimeSyncService.PERIOD.plusMillis(1));
        utilities.work();
        ByteBuffer second = Wire.buffer(utilities.requests.get(2).body().toByteArray());
        assertThat(second.get(16)).as("SAMPLE").isEqualTo((byte) 2);
        assertThat(second.getLong(8)).as("reference time").isEqualTo(50_000_000L);
        var answer = service.synchronize();
        guest.run();
        utilities.work();
        assertThat(answer).isCompleted();
        assertThat(utilities.requests.get(3).body().get(16)).isEqualTo(1);
    }

    @Test
    void aGuestThatIgnoresSamplesGetsNoMoreOfThem() {
        TimeSyncService service = new TimeSyncService(guest.synIc(), InstantSource.system());
        GuestUtilities utilities = start(service);
        utilities.work();
        utilities.silent = true;
        guest.advance(Duration.ofSeconds(25));
        utilities.silent = false;
        assertThat(utilities.work()).isEqualTo(1);
    }

    @Test
    void aGuestThatStopsAnsweringIsLostAndFoundAgain() {
        List<HeartbeatService.State> states = new ArrayList<>();
        HeartbeatService service = new HeartbeatService(states::add);
        GuestUtilities utilities = start(service);
        utilities.work();
        assertThat(states).containsExactly(HeartbeatService.State.OK);
        for (int i = 0; i < 5; i++) {
            guest.advance(HeartbeatService.PERIOD);
            assertThat(utilities.work()).isEqualTo(1);
        }
        utilities.silent = true;
        guest.advance(HeartbeatService.PERIOD.multipliedBy(HeartbeatService.MISSED));
        assertThat(service.state()).as("five beats: one sent, four missed").isEqualTo(HeartbeatService.State.OK);
        guest.advance(HeartbeatService.PERIOD);
        assertThat(service.state()).isEqualTo(HeartbeatService.State.LOST);
        guest.advance(Duration.ofMinutes(10));
        utilities.silent = false;
        assertThat(utilities.work()).as("asked once, not 300 times").isEqualTo(1);
        assertThat(service.state()).isEqualTo(HeartbeatService.State.OK);
        utilities.channel.close();
        assertThat(states)
                .containsExactly(
                        HeartbeatService.State.OK,
                        HeartbeatService.State.LOST,
                        HeartbeatService.State.OK,
                        HeartbeatService.State.NO_CONTACT);
    }

    @Test
    void aPausedGuestIsNotLost() {
        List<HeartbeatService.State> states = new ArrayList<>();
        HeartbeatService service = new HeartbeatService(states::add);
        GuestUtilities utilities = start(service);
        utilities.work();
        guest.pause();
        guest.advance(Duration.ofMinutes(5));
        guest.bus().resume();
        utilities.work();
        guest.advance(HeartbeatService.PERIOD);
        utilities.work();
        assertThat(states).containsExactly(HeartbeatService.State.OK);
    }

    /** A key/value daemon as Linux has it: pools of its own, errors by status. */
    private static final class Daemon {
        final Map<Integer, Map<String, String>> pools = new LinkedHashMap<>();

        IcMessage answer(IcMessage request) {
            byte[] body = request.body().toByteArray();
            ByteBuffer in = Wire.buffer(body);
            Map<String, String> pool = pools.computeIfAbsent((int) body[1], p -> new LinkedHashMap<>());
            switch (body[0]) {
                case KvpMessage.SET -> pool.put(text(body, 16, in.getInt(8)), text(body, 528, in.getInt(12)));
                case KvpMessage.DELETE -> {
                    if (pool.remove(text(body, 8, in.getInt(4))) == null) {
                        return GuestUtilities.with(request, 0x80070103, body);
                    }
                }
                case KvpMessage.ENUMERATE -> {
                    int index = in.getInt(4);
                    if (index >= pool.size()) {
                        return GuestUtilities.with(request, 0x80070103, body);
                    }
                    var entry = List.copyOf(pool.entrySet()).get(index);
                    put(in, entry.getKey(), entry.getValue());
                }
                default -> throw new AssertionError(body[0]);
            }
            return GuestUtilities.with(request, 0, body);
        }

        private static void put(ByteBuffer out, String key, String value) {
            byte[] k = (key + "\0").getBytes(StandardCharsets.UTF_16LE);
            byte[] v = (value + "\0").getBytes(StandardCharsets.UTF_16LE);
            out.putInt(8, 1).putInt(12, k.length).putInt(16, v.length);
            out.put(20, k).put(20 + 512, v);
        }

        private static String text(byte[] body, int at, int length) {
            return new String(body, at, length - 2, StandardCharsets.UTF_16LE);
        }
    }

    private <T> T pump(GuestUtilities utilities, CompletableFuture<T> answer) {
        for (int i = 0; i < 5_000 && !answer.isDone(); i++) {
            guest.run();
            utilities.work();
        }
        return answer.join();
    }

    @Test
    void keysAndValuesGoBothWays() {
        KeyValueService service = new KeyValueService();
        GuestUtilities utilities = start(service);
        Daemon daemon = new Daemon();
        utilities.answer = daemon::answer;
        pump(utilities, service.set("größe", "42 €"));
        pump(utilities, service.set("other", ""));
        assertThat(daemon.pools.get(0)).containsExactly(Map.entry("größe", "42 €"), Map.entry("other", ""));
        assertThat(pump(utilities, service.get(KeyValueService.Pool.EXTERNAL, "größe")))
                .contains("42 €");
        assertThat(pump(utilities, service.get(KeyValueService.Pool.EXTERNAL, "none")))
                .isEmpty();
        pump(utilities, service.delete("other"));
        assertThat(daemon.pools.get(0)).containsOnlyKeys("größe");
        assertThatThrownBy(() -> pump(utilities, service.delete("other"))).hasMessageContaining("0x80070103");
        daemon.pools.put(2, new LinkedHashMap<>(Map.of("OSName", "Debian")));
        assertThat(pump(utilities, service.enumerate(KeyValueService.Pool.INTRINSIC)))
                .containsExactly(Map.entry("OSName", "Debian"));
        assertThat(pump(utilities, service.enumerate(KeyValueService.Pool.GUEST)))
                .isEmpty();
        assertThatThrownBy(() -> service.set("k".repeat(256), "")).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> service.set("", "")).isInstanceOf(IllegalArgumentException.class);
        pump(utilities, service.set("k".repeat(255), "v".repeat(1023)));
    }

    @Test
    void aPoolWithoutEndIsCutOff() {
        KeyValueService service = new KeyValueService();
        GuestUtilities utilities = start(service);
        utilities.answer = m -> {
            ByteBuffer body = Wire.buffer(m.body().toByteArray());
            Daemon.put(body, "key" + body.getInt(4), "value");
            return GuestUtilities.with(m, 0, Wire.bytes(body));
        };
        assertThat(pump(utilities, service.enumerate(KeyValueService.Pool.GUEST)))
                .hasSize(KeyValueService.MAX_ITEMS);
    }

    @Test
    void nonsenseInAnAnswerFailsTheQuestionOnly() {
        KeyValueService service = new KeyValueService();
        GuestUtilities utilities = start(service);
        for (int place : new int[] {8, 12, 16}) { // type, key size, value size
            utilities.answer = m -> {
                ByteBuffer body = Wire.buffer(m.body().toByteArray());
                Daemon.put(body, "k", "v");
                body.putInt(place, 0x7FFF_FFFF);
                return GuestUtilities.with(m, 0, Wire.bytes(body));
            };
            assertThatThrownBy(() -> pump(utilities, service.enumerate(KeyValueService.Pool.GUEST)))
                    .hasMessageContaining("nonsense");
        }
        utilities.answer = m -> GuestUtilities.with(m, 0, new byte[8]);
        assertThatThrownBy(() -> pump(utilities, service.enumerate(KeyValueService.Pool.GUEST)))
                .hasMessageContaining("nonsense");
        assertThat(service.isReady()).isTrue();
    }

    @Test
    void theGuestIsFrozenWhileTheHostActsAndThawedInAnyCase() throws Exception {
        BackupService service = new BackupService();
        GuestUtilities utilities = start(service);
        List<String> order = new ArrayList<>();
        utilities.answer = m -> {
            order.add("guest:" + m.body().get(0));
            return m;
        };
        AtomicReference<Object> result = new AtomicReference<>();
        Thread host = Thread.ofVirtual().start(() -> {
            try {
                result.set(service.whileFrozen(Duration.ofSeconds(30), () -> {
                    order.add("host");
                    return 7;
                }));
                service.whileFrozen(Duration.ofSeconds(30), () -> {
                    throw new java.io.IOException("disk full");
                });
            } catch (Exception e) {
                result.set(result.get() + " " + e.getMessage());
            }
        });
        while (host.isAlive()) {
            guest.run();
            utilities.work();
            Thread.onSpinWait();
        }
        assertThat(result.get()).isEqualTo("7 disk full");
        assertThat(order).containsExactly("guest:2", "guest:5", "host", "guest:6", "guest:2", "guest:5", "guest:6");
        assertThat(service.isFrozen()).isFalse();
    }

    @Test
    void aServiceGoesOnAfterARestoreInTheMiddleOfAQuestion() {
        HeartbeatService service = new HeartbeatService(s -> {});
        GuestUtilities utilities = start(service);
        utilities.work();
        guest.advance(HeartbeatService.PERIOD); // the beat is in the ring, not answered
        guest.pause();
        StateWriter saved = new StateWriter();
        guest.bus().save(saved);
        var bus = guest.replaceBus();
        HeartbeatService again = new HeartbeatService(s -> {});
        bus.add(again);
        bus.restore(new StateReader("vmbus", 1, saved.toByteArray()));
        bus.resume();
        guest.run();
        assertThat(again.isReady()).isTrue();
        assertThat(utilities.work()).as("the old beat and the new").isEqualTo(2);
        assertThat(again.state()).isEqualTo(HeartbeatService.State.OK);
        assertThat(guest.failures()).isEmpty();
    }

    @Test
    void aGuestThatWasFrozenWhenSavedIsThawed() {
        BackupService service = new BackupService();
        GuestUtilities utilities = start(service);
        guest.pause();
        StateWriter saved = new StateWriter();
        guest.bus().save(saved);
        var bus = guest.replaceBus();
        BackupService again = new BackupService();
        bus.add(again);
        byte[] bytes = saved.toByteArray();
        flipFrozen(bytes);
        bus.restore(new StateReader("vmbus", 1, bytes));
        assertThat(again.isFrozen()).isTrue();
        bus.resume();
        guest.run();
        utilities.work();
        assertThat(utilities.requests.getLast().body().get(0)).as("THAW").isEqualTo(6);
        assertThat(again.isFrozen()).isFalse();
    }

    private static void flipFrozen(byte[] bytes) {
        byte[] name = "frozen".getBytes(StandardCharsets.US_ASCII);
        for (int i = 0; i + name.length + 8 <= bytes.length; i++) {
            if (java.util.Arrays.equals(bytes, i, i + name.length, name, 0, name.length)) {
                bytes[i + name.length + 7] = 1;
                return;
            }
        }
        throw new AssertionError("no such field");
    }
}

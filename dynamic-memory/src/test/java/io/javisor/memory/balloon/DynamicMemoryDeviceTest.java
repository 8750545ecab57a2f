package io.javisor.memory.balloon;

import static org.assertj.core.api.Assertions.assertThat;

import io.javisor.memory.protocol.PageRange;
import io.javisor.partition.state.StateReader;
import io.javisor.partition.state.StateWriter;
import io.javisor.partition.topology.AddressSpacePlan;
import io.javisor.vmbus.guest.TestGuest;
import io.javisor.vmbus.protocol.VmBusVersion;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.TreeSet;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class DynamicMemoryDeviceTest {
    private static final long MIB = 1 << 20;
    private static final int PAGES = 256; // of a MiB
    private static final Duration SECOND = Duration.ofSeconds(1);

    private final TestGuest guest = new TestGuest(1, 4 << 20);
    private final RecordedEvents events = new RecordedEvents();
    private RecordedMemory memory = new RecordedMemory(
            AddressSpacePlan.builder().node(256 * MIB, 512 * MIB).build());

    @AfterEach
    void close() {
        guest.close();
    }

    private DynamicMemoryDevice device() {
        return new DynamicMemoryDevice(
                memory, memory.plan.bootMemory().getLast().node() + 1, 768 * MIB, guest.reactor(), events);
    }

    private BalloonDriver start(DynamicMemoryDevice device) {
        guest.bus().add(device);
        guest.connect(VmBusVersion.V5_3);
        BalloonDriver driver = new BalloonDriver(guest, device);
        driver.connect(BalloonDriver.V3);
        // The first half of the boot memory is the kernel's own.
        for (AddressSpacePlan.Range r : memory.plan.bootMemory()) {
            for (long page = r.gpa() / 4096; page < r.end() / 4096; page++) {
                memory.resident.add(page);
                if (r.gpa() >= 128 * MIB || page >= 64 * PAGES) {
                    driver.free.add(page);
                }
            }
        }
        return driver;
    }

    private void settle(BalloonDriver driver) {
        for (int i = 0; i < 64; i++) {
            if (driver.work() == 0) {
                guest.advance(SECOND);
            }
        }
    }

    private void assertHostAgrees(BalloonDriver driver) {
        assertThat(events.last().balloonedBytes() / 4096).isEqualTo(driver.ballooned.size());
        assertThat(Collections.disjoint(memory.resident, driver.ballooned)).isTrue();
        assertThat(guest.failures()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({"131072,2.0,196608", "65536,1.0,196608", "3,0.3,-1"})
    void eachVersionIsTakenAndTheMaximumTold(int version, String name, long told) {
        DynamicMemoryDevice device = device();
        guest.bus().add(device);
        guest.connect(VmBusVersion.V5_3);
        BalloonDriver driver = new BalloonDriver(guest, device);
        driver.connect(version);
        assertThat(events.lines).containsExactly("ready " + name + " balloon add 128");
        assertThat(driver.maximum).isEqualTo(told);
    }

    @Test
    void anUnknownVersionIsRefusedAndTheGuestTriesTheNext() {
        DynamicMemoryDevice device = device();
        guest.bus().add(device);
        guest.connect(VmBusVersion.V5_3);
        BalloonDriver driver = new BalloonDriver(guest, device);
        driver.connect(0x7_0000);
        assertThat(driver.version).isEqualTo(BalloonDriver.V2);
        assertThat(events.lines).containsExactly("ready 1.0 balloon add 128");
    }

    @Test
    void withoutATargetNothingIsAsked() {
        BalloonDriver driver = start(device());
        driver.report(1000, 1000);
        settle(driver);
        assertThat(events.lines).hasSize(1);
        assertThat(events.last().assignedBytes()).isEqualTo(256 * MIB);
        assertThat(events.last().room()).isEqualTo(512 * MIB);
    }

    @ParameterizedTest
    @ValueSource(ints = {512, 1, 7})
    void pagesGoAndComeBackZeroed(int rangePages) {
        DynamicMemoryDevice device = device();
        BalloonDriver driver = start(device);
        driver.rangePages = rangePages;
        driver.report(20_000, 1000);
        device.target(BalloonTarget.of(192 * MIB));
        settle(driver);
        assertThat(driver.ballooned).hasSize(64 * PAGES);
        assertThat(memory.discarded).isEqualTo(driver.ballooned);
        assertThat(events.last().assignedBytes()).isEqualTo(192 * MIB);
        assertHostAgrees(driver);

        driver.report(20_000, 1000);
        settle(driver);
        assertThat(events.last().demand()).as("without what is ballooned").isEqualTo(1000 * 4096);

        device.target(BalloonTarget.of(240 * MIB));
        settle(driver);
        assertThat(driver.ballooned).hasSize(16 * PAGES);
        assertThat(memory.discarded).as("populated before they came back").isEqualTo(driver.ballooned);
        assertThat(events.last().assignedBytes()).isEqualTo(240 * MIB);
        assertHostAgrees(driver);
    }

    @Test
    void aGuestThatGivesLessIsAskedAgainLater() {
        DynamicMemoryDevice device = device();
        BalloonDriver driver = start(device);
        TreeSet<Long> kept = new TreeSet<>(driver.free);
        driver.free.clear();
        for (int i = 0; i < 10 * PAGES; i++) {
            driver.free.add(kept.pollFirst());
        }
        device.target(BalloonTarget.of(192 * MIB));
        driver.work();
        driver.work();
        assertThat(events.lines).endsWith("ballooned 2560 of 16384");
        guest.advance(SECOND);
        assertThat(driver.work()).as("not at once").isZero();
        driver.free.addAll(kept);
        settle(driver);
        assertThat(events.last().assignedBytes()).isEqualTo(192 * MIB);
        assertHostAgrees(driver);
    }

    @Test
    void growthTakesBackFirstThenAdds() {
        DynamicMemoryDevice device = device();
        BalloonDriver driver = start(device);
        device.target(BalloonTarget.of(192 * MIB));
        settle(driver);
        device.target(BalloonTarget.of(500 * MIB));
        settle(driver);
        assertThat(events.lines.indexOf("unballooned 16384"))
                .isLessThan(events.lines.indexOf("added 0: 32768 of 32768"))
                .isPositive();
        assertThat(events.last().assignedBytes()).isEqualTo(500 * MIB);
        assertThat(events.last().added()).isEqualTo(244 * MIB);
        assertThat(driver.sizes).as("region first, then its continuation").containsExactly(24L, 24L);
        assertThat(driver.regions)
                .as("whole units of the guest's alignment")
                .allMatch(r -> r.first() % 32_768 == 0 && r.count() % 32_768 == 0);
        long window = memory.plan.growthWindows().getFirst().gpa() / 4096;
        assertThat(driver.added).containsExactly(new PageRange(window, 32_768), new PageRange(window + 32_768, 29_696));

        device.target(BalloonTarget.of(600 * MIB));
        settle(driver);
        assertThat(driver.sizes).as("in the region that is there").endsWith(16L);
        assertThat(events.last().assignedBytes()).isEqualTo(600 * MIB);
        assertHostAgrees(driver);

        device.target(BalloonTarget.of(4096 * MIB));
        settle(driver);
        assertThat(events.last().assignedBytes())
                .as("no further than the window")
                .isEqualTo(768 * MIB);
        assertThat(events.last().room()).isZero();

        device.target(BalloonTarget.of(192 * MIB));
        settle(driver);
        assertThat(events.last().assignedBytes()).isEqualTo(192 * MIB);
        device.target(BalloonTarget.of(768 * MIB));
        settle(driver);
        assertThat(events.last().assignedBytes()).isEqualTo(768 * MIB);
        assertHostAgrees(driver);
    }

    @Test
    void oneHotAddIsOutstandingAndALateAnswerCounts() {
        DynamicMemoryDevice device = device();
        BalloonDriver driver = start(device);
        driver.addSilent = true;
        device.target(BalloonTarget.of(700 * MIB));
        settle(driver);
        assertThat(driver.sizes).hasSize(1);
        guest.advance(Duration.ofSeconds(30));
        assertThat(events.lines).endsWith("overdue hot add");
        assertThat(events.last().overdue()).isTrue();
        device.target(BalloonTarget.of(128 * MIB));
        settle(driver);
        assertThat(driver.ballooned).as("the other lane goes on").isNotEmpty();
        driver.addSilent = false;
        driver.answerHotAdd(memory.plan.growthWindows().stream()
                .map(w -> new PageRange(w.gpa() / 4096, 32_768))
                .findFirst()
                .orElseThrow());
        device.target(BalloonTarget.of(700 * MIB));
        settle(driver);
        assertThat(events.last().assignedBytes()).isEqualTo(700 * MIB);
        assertThat(events.last().overdue()).isFalse();
        assertHostAgrees(driver);
    }

    @Test
    void aPartOfAHotAddIsTheLast() {
        DynamicMemoryDevice device = device();
        BalloonDriver driver = start(device);
        driver.takesAtMost = 8192;
        device.target(BalloonTarget.of(700 * MIB));
        settle(driver);
        assertThat(events.lines).endsWith("added 0: 8192 of 32768 last");
        assertThat(events.last().assignedBytes()).isEqualTo(288 * MIB);
        assertThat(events.last().room()).isZero();
        assertThat(memory.residentBytes()).as("the rest went back").isEqualTo(288 * MIB);
    }

    @Test
    void aHotAddThatFailsForNowIsTriedAgainWithTheSamePages() {
        DynamicMemoryDevice device = device();
        BalloonDriver driver = start(device);
        driver.addFails = true;
        device.target(BalloonTarget.of(300 * MIB));
        driver.work();
        driver.work();
        assertThat(events.lines).endsWith("added 0: 0 of 11264");
        assertThat(events.last().assignedBytes()).isEqualTo(256 * MIB);
        assertThat(memory.residentBytes()).isEqualTo(256 * MIB);
        driver.addFails = false;
        settle(driver);
        assertThat(events.last().assignedBytes()).isEqualTo(300 * MIB);
        assertThat(driver.added).hasSize(1);
    }

    @Test
    void aGuestThatCannotAddKeepsItsBalloon() {
        DynamicMemoryDevice device = device();
        guest.bus().add(device);
        guest.connect(VmBusVersion.V5_3);
        BalloonDriver driver = new BalloonDriver(guest, device);
        driver.canAdd = false;
        driver.connect(BalloonDriver.V3);
        for (long page = 100 * PAGES; page < 128 * PAGES; page++) {
            driver.free.add(page);
        }
        device.target(BalloonTarget.of(240 * MIB));
        settle(driver);
        device.target(BalloonTarget.of(700 * MIB));
        settle(driver);
        assertThat(driver.sizes).isEmpty();
        assertThat(events.last().assignedBytes()).isEqualTo(256 * MIB);
        assertThat(events.last().room()).isZero();
    }

    @Test
    void memoryThatIsNotBroughtOnlineIsNoticed() {
        DynamicMemoryDevice device = device();
        BalloonDriver driver = start(device);
        driver.online = false;
        driver.report(20_000, 50_000);
        device.target(BalloonTarget.of(700 * MIB));
        for (int i = 0; i < 10; i++) {
            driver.work();
            driver.report(20_000 + i, 50_000 - i);
            guest.advance(SECOND);
        }
        assertThat(events.lines).anyMatch(line -> line.startsWith("not online "));
        assertThat(events.last().room()).isZero();
    }

    @Test
    void memoryThatIsUsedAtOnceIsNotTakenForUseless() {
        DynamicMemoryDevice device = device();
        BalloonDriver driver = start(device);
        long used = 50_000;
        driver.report(20_000, used);
        device.target(BalloonTarget.of(700 * MIB));
        for (int i = 0; i < 10; i++) {
            driver.work();
            used += 30_000; // nearly as much as came
            driver.report(20_000 + 2_768, used);
            guest.advance(SECOND);
        }
        assertThat(events.last().assignedBytes()).isEqualTo(700 * MIB);
    }

    @Test
    void aSilentGuestIsNotAskedTwice() {
        DynamicMemoryDevice device = device();
        BalloonDriver driver = start(device);
        driver.silent = true;
        device.target(BalloonTarget.of(192 * MIB));
        assertThat(driver.work()).isEqualTo(1);
        guest.advance(Duration.ofMinutes(10));
        assertThat(driver.work()).isZero();
        assertThat(events.lines).endsWith("overdue balloon");
        driver.silent = false;
        driver.balloonUp(64 * PAGES);
        settle(driver);
        assertThat(events.last().assignedBytes()).isEqualTo(192 * MIB);
        assertHostAgrees(driver);
    }

    @Test
    void aHostThatIsShortSaysSoAndTriesAgain() {
        DynamicMemoryDevice device = device();
        BalloonDriver driver = start(device);
        device.target(BalloonTarget.of(192 * MIB));
        settle(driver);
        memory.shortAfter = memory.resident.size() + 100L;
        device.target(BalloonTarget.of(700 * MIB));
        driver.work();
        guest.advance(SECOND);
        driver.work();
        assertThat(events.lines).contains("refused guest-memory");
        assertThat(driver.ballooned).hasSize(64 * PAGES);
        assertThat(events.last().assignedBytes()).isEqualTo(192 * MIB);
        memory.shortAfter = Long.MAX_VALUE;
        settle(driver);
        assertThat(events.last().assignedBytes()).isEqualTo(700 * MIB);
        assertHostAgrees(driver);
    }

    @Test
    void aGuestThatUsesWhatItGaveUpLosesItAgain() {
        DynamicMemoryDevice device = device();
        BalloonDriver driver = start(device);
        device.target(BalloonTarget.of(192 * MIB));
        settle(driver);
        memory.strayPages = 32 * PAGES;
        guest.advance(SECOND);
        assertThat(events.last().charged()).as("pays for it").isEqualTo(224 * MIB);
        guest.advance(SECOND);
        assertThat(events.lines).contains("strayed 8192");
        assertThat(events.last().charged()).isEqualTo(192 * MIB);
    }

    @Test
    void onlyWholeHugePagesAreGivenBack() {
        memory.pageSize = 2 * MIB;
        DynamicMemoryDevice device = device();
        BalloonDriver driver = start(device);
        // Of the first huge page, one page stays the guest's; it goes later.
        Long odd = driver.free.pollFirst();
        device.target(BalloonTarget.of(192 * MIB));
        settle(driver);
        assertThat(memory.discarded).hasSize(64 * PAGES - 512);
        assertThat(driver.ballooned).hasSize(64 * PAGES);
        driver.free.clear();
        driver.free.add(odd);
        for (int i = 1; i < 512; i++) {
            driver.free.add(odd + 40 * PAGES * 2 + i);
        }
        device.target(BalloonTarget.of(190 * MIB));
        settle(driver);
        assertThat(memory.discarded).as("now the first is whole").contains(odd);
        device.target(BalloonTarget.of(256 * MIB));
        settle(driver);
        assertThat(driver.ballooned).isEmpty();
        assertThat(memory.resident).as("populated in whole huge pages").hasSize(256 * PAGES);
    }

    @Test
    void growthGoesToTheNodeThatIsAskedFor() {
        memory = new RecordedMemory(AddressSpacePlan.builder()
                .node(128 * MIB, 256 * MIB)
                .node(128 * MIB, 256 * MIB)
                .build());
        DynamicMemoryDevice device = device();
        BalloonDriver driver = start(device);
        device.target(new BalloonTarget(400 * MIB, List.of(128 * MIB, 272 * MIB)));
        settle(driver);
        assertThat(events.last().assigned()).containsExactly(128 * MIB, 272 * MIB);
        AddressSpacePlan.Range window = memory.plan.growthWindows().get(1);
        assertThat(driver.added).allMatch(r -> r.gpa() >= window.gpa() && r.gpa() + r.bytes() <= window.end());
        device.target(BalloonTarget.of(600 * MIB));
        settle(driver);
        assertThat(events.last().assigned()).as("by size").containsExactly(300 * MIB, 300 * MIB);
    }

    @Test
    void nodesAreEvenedOutAfterTheGuestChoseOne() {
        memory = new RecordedMemory(
                AddressSpacePlan.builder().node(512 * MIB).node(512 * MIB).build());
        DynamicMemoryDevice device = device();
        BalloonDriver driver = start(device);
        // It gives from node 0 only, as its pages come first.
        device.target(BalloonTarget.of(640 * MIB));
        settle(driver);
        assertThat(events.last().assigned().get(0)).isLessThan(200 * MIB);
        long before = events.last().assigned().get(0);
        driver.fromEnd = true;
        guest.advance(Duration.ofSeconds(31));
        settle(driver);
        guest.advance(Duration.ofSeconds(31));
        settle(driver);
        assertThat(events.last().assigned().get(0)).isGreaterThan(before + 60 * MIB);
        assertThat(events.last().assignedBytes()).isEqualTo(640 * MIB);
    }

    @ParameterizedTest
    @ValueSource(strings = {"unasked", "outside", "twice", "too many", "hot add", "unballoon", "early", "cut", "type"})
    void nonsenseClosesTheChannelAndTheMachineGoesOn(String kind) {
        DynamicMemoryDevice device = device();
        BalloonDriver driver = start(device);
        driver.silent = true;
        if (!kind.equals("unasked")) {
            device.target(BalloonTarget.of(192 * MIB));
            driver.work();
        }
        long page = 100 * PAGES;
        switch (kind) {
            case "unasked" -> driver.ballooned(List.of(new PageRange(page, 1)), false);
            case "outside" -> driver.ballooned(List.of(new PageRange(600 * PAGES, 2)), false);
            case "twice" -> driver.ballooned(List.of(new PageRange(page, 2), new PageRange(page + 1, 1)), false);
            case "too many" -> driver.ballooned(List.of(new PageRange(page, 65 * PAGES)), false);
            case "hot add" -> driver.send(11, 8, b -> b.putInt(1).putInt(1));
            case "unballoon" -> driver.send(9, 0, b -> {});
            case "early" -> driver.askVersion(BalloonDriver.V3, false);
            case "cut" -> driver.send(7, 8, b -> b.putInt(0).putInt(0x7FFF_FFFE));
            default -> driver.send(13, 8, b -> {});
        }
        assertThat(guest.failures()).hasSize(1);
        assertThat(guest.failures().getFirst()).startsWith("dynamic memory: ");
        assertThat(events.lines).endsWith("gone");
        guest.advance(Duration.ofMinutes(5));

        driver.channel.close();
        BalloonDriver again = new BalloonDriver(guest, device);
        again.connect(BalloonDriver.V3);
        again.free.addAll(driver.free);
        settle(again);
        if (!kind.equals("unasked")) {
            assertThat(events.last().assignedBytes()).as("begins anew").isEqualTo(192 * MIB);
        }
    }

    @Test
    void wordsOfEveryLengthAreSurvived() {
        DynamicMemoryDevice device = device();
        BalloonDriver driver = start(device);
        for (int length = 0; length < 8; length++) {
            driver.channel.send(0, new byte[length], false);
        }
        assertThat(guest.failures())
                .as("too short, or an error without content")
                .hasSize(1);
    }

    @ParameterizedTest
    @ValueSource(strings = {"balloon", "populate", "unballoon", "hot add", "idle"})
    void aSavedGuestGoesOnWhereItWas(String moment) {
        DynamicMemoryDevice device = device();
        BalloonDriver driver = start(device);
        device.target(BalloonTarget.of(192 * MIB));
        if (moment.equals("balloon")) {
            driver.silent = true;
            driver.work();
            driver.ballooned(List.of(new PageRange(driver.free.first(), 512)), true);
            for (int i = 0; i < 512; i++) {
                driver.ballooned.add(driver.free.pollFirst());
            }
        } else {
            settle(driver);
            switch (moment) {
                case "unballoon" -> {
                    device.target(BalloonTarget.of(200 * MIB));
                    guest.run();
                }
                case "populate" -> {
                    // Chosen, but the worker has not begun.
                    device.target(BalloonTarget.of(200 * MIB));
                    guest.reactor().runOne();
                }
                case "hot add" -> {
                    driver.addSilent = true;
                    device.target(BalloonTarget.of(300 * MIB));
                    settle(driver);
                }
                default -> {}
            }
        }
        var quiet = guest.bus().quiesce();
        if (!moment.equals("populate")) {
            guest.run();
            assertThat(quiet).isDone();
        }
        StateWriter saved = new StateWriter();
        guest.bus().save(saved);
        byte[] bytes = saved.toByteArray();
        var told = events.last().assigned();

        RecordedMemory before = memory;
        memory = new RecordedMemory(before.plan);
        memory.resident.addAll(before.resident);
        var bus = guest.replaceBus();
        DynamicMemoryDevice again = device();
        bus.add(again);
        bus.restore(new StateReader("vmbus", 1, bytes));
        assertThat(events.last().assigned()).as("begins with what was told").isEqualTo(told);
        bus.resume();
        again.target(BalloonTarget.of(moment.equals("hot add") ? 300 * MIB : 200 * MIB));
        guest.run();
        switch (moment) {
            case "balloon" -> {
                driver.silent = false;
                driver.balloonUp(63 * PAGES - 256);
            }
            case "hot add" -> {
                driver.addSilent = false;
                driver.answerHotAdd(
                        PageRange.ofBytes(memory.plan.growthWindows().getFirst().gpa(), 44 * MIB));
            }
            default -> {}
        }
        settle(driver);
        assertThat(events.last().assignedBytes()).isEqualTo(moment.equals("hot add") ? 300 * MIB : 200 * MIB);
        assertHostAgrees(driver);
        again.target(BalloonTarget.of(400 * MIB));
        settle(driver);
        assertThat(events.last().assignedBytes()).isEqualTo(400 * MIB);
        assertThat(driver.ballooned).as(events.lines.toString()).isEmpty();
        assertHostAgrees(driver);
    }
}

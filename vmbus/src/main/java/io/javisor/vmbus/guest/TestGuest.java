package io.javisor.vmbus.guest;

import io.javisor.partition.GuestMemory;
import io.javisor.partition.MemoryRegion;
import io.javisor.partition.PlainBacking;
import io.javisor.partition.reactor.Reactor;
import io.javisor.partition.synic.HvStatus;
import io.javisor.vmbus.VmBus;
import io.javisor.vmbus.VmBusListener;
import io.javisor.vmbus.channel.ChannelOffer;
import io.javisor.vmbus.protocol.GuestMessage;
import io.javisor.vmbus.protocol.HostMessage;
import io.javisor.vmbus.protocol.Octets;
import io.javisor.vmbus.protocol.VmBusVersion;
import io.javisor.vmbus.ring.PageRuns;
import io.javisor.vmbus.server.VmBusServer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * A guest for tests of devices: memory, vCPUs in name only, and a driver of the bus. Belongs to the test's thread, on which the
 * host's work runs too, whenever the guest waits for something or {@link #run} is called.
 */
public final class TestGuest implements AutoCloseable {
    /** Guest-physical address of the memory; what is below is not there. */
    public static final long MEMORY = 0x10_0000;

    private static final int HEADER_WORDS = 27; // (240 - 20) / 8
    private static final int BODY_WORDS = 28; // (240 - 16) / 8

    private final int vcpus;
    /** How long a chain of tasks, each given by the one before, a reactor with a thread is waited for. */
    private static final int ROUNDS = 32;

    private final Reactor host;
    private final @Nullable ManualReactor manual;
    private final GuestMemory memory = new GuestMemory();
    private final PlainBacking backing;
    private final MemorySynIc synIc;
    private final List<String> failures = new ArrayList<>();
    private final ArrayDeque<HostMessage> inbox = new ArrayDeque<>();
    private final Map<Integer, HostMessage.OfferChannel> offers = new LinkedHashMap<>();
    private VmBus bus;
    private int messageConnection = VmBusServer.CONNECTION_ID;
    private int nextGpadl = 0xE1E10; // as Linux counts
    private long nextPage;

    /**
     * A guest that is not connected yet.
     *
     * @param vcpus how many
     * @param bytes of memory, a multiple of 4,096
     */
    public TestGuest(int vcpus, long bytes) {
        this(vcpus, bytes, new ManualReactor());
    }

    /**
     * A guest that the host serves on a thread of its own.
     *
     * @param vcpus how many
     * @param bytes of memory, a multiple of 4,096
     * @param host the caller's to close, after the guest
     */
    public TestGuest(int vcpus, long bytes, Reactor host) {
        this.vcpus = vcpus;
        this.host = host;
        manual = host instanceof ManualReactor m ? m : null;
        long begun = System.nanoTime();
        backing = PlainBacking.allocate(bytes);
        memory.add(new MemoryRegion(MEMORY, bytes, 0, backing, 0));
        nextPage = MEMORY / PageRuns.PAGE;
        synIc = new MemorySynIc(vcpus, () -> (manual == null ? System.nanoTime() - begun : manual.now()) / 100);
        bus = newBus();
    }

    private VmBus newBus() {
        return new VmBus(memory, synIc, List.of(host), new VmBusListener() {
            @Override
            public void failed(ChannelOffer offer, int subChannelIndex, String reason) {
                failures.add(reason);
            }

            @Override
            public void malformed(String reason) {
                failures.add(reason);
            }
        });
    }

    /** The bus under test. */
    public VmBus bus() {
        return bus;
    }

    /** Puts a new bus in place of the old, as a restored machine would: same memory and SynIC, the guest none the wiser. */
    public VmBus replaceBus() {
        run();
        bus.close();
        run();
        bus = newBus();
        return bus;
    }

    /** Pauses the bus as for saving; throws if a device still holds packets. */
    public void pause() {
        var quiet = bus.quiesce();
        run();
        if (!quiet.isDone()) {
            throw new IllegalStateException("a device still holds packets");
        }
    }

    /** The guest's memory. */
    public GuestMemory memory() {
        return memory;
    }

    /** Both sides of its SynIC. */
    public MemorySynIc synIc() {
        return synIc;
    }

    /** The host's only thread, so to speak; throws if it has a real one. */
    public ManualReactor reactor() {
        if (manual == null) {
            throw new IllegalStateException("the host has a thread of its own");
        }
        return manual;
    }

    /** Why channels failed and messages were refused, in order. */
    public List<String> failures() {
        return failures;
    }

    /** vCPUs. */
    public int vcpus() {
        return vcpus;
    }

    /** Lets the host work until it rests, and takes what it says. */
    public void run() {
        do {
            settle();
        } while (takeMessage());
    }

    private void settle() {
        if (manual != null) {
            manual.run();
            return;
        }
        for (int i = 0; i < ROUNDS; i++) {
            CompletableFuture.runAsync(() -> {}, host).join();
        }
    }

    /** Lets time pass for the host. */
    public void advance(Duration time) {
        run();
        reactor().advance(time);
        run();
    }

    private boolean takeMessage() {
        boolean any = false;
        for (int vp = 0; vp < vcpus; vp++) {
            byte[] bytes = synIc.guestTakes(vp, VmBusServer.SINT);
            if (bytes != null) {
                any = true;
                HostMessage message = HostMessage.decode(bytes);
                if (message instanceof HostMessage.OfferChannel offer) {
                    offers.put(offer.relId(), offer);
                } else if (message instanceof HostMessage.RescindOffer rescind) {
                    offers.remove(rescind.relId());
                }
                inbox.add(message);
            }
        }
        return any;
    }

    /** Allocates memory of whole pages, zeroed; it is freed by {@link #release}, or when the guest is closed. */
    public long allocate(long bytes) {
        long pages = (bytes + PageRuns.PAGE - 1) / PageRuns.PAGE;
        long gpa = nextPage * PageRuns.PAGE;
        if (!memory.contains(gpa, pages * PageRuns.PAGE)) {
            throw new IllegalStateException("the test guest has not enough memory");
        }
        nextPage += pages;
        return gpa;
    }

    /** What has been allocated so far, for {@link #release}. */
    public long mark() {
        return nextPage;
    }

    /** Frees all that was allocated since, which the host must have no part of any more. */
    public void release(long mark) {
        long at = (mark * PageRuns.PAGE) - MEMORY;
        backing.discard(at, (nextPage - mark) * PageRuns.PAGE);
        nextPage = mark;
    }

    // Control messages

    /** Posts a message. */
    public HvStatus post(GuestMessage message) {
        return synIc.guestPosts(messageConnection, 1, message.encode());
    }

    /** The next message of the host that fits, after letting it work; others are kept. Null if there is none. */
    public <T extends HostMessage> @Nullable T take(Class<T> type, Predicate<? super T> which) {
        run();
        for (Iterator<HostMessage> all = inbox.iterator(); all.hasNext(); ) {
            HostMessage message = all.next();
            if (type.isInstance(message) && which.test(type.cast(message))) {
                all.remove();
                return type.cast(message);
            }
        }
        return null;
    }

    /** The next message of the host that fits; throws if there is none. */
    public <T extends HostMessage> T expect(Class<T> type, Predicate<? super T> which) {
        T message = take(type, which);
        if (message == null) {
            throw new IllegalStateException("no " + type.getSimpleName() + " from the host; it said " + inbox
                    + ", and failed with " + failures);
        }
        return message;
    }

    /** Messages of the host that nobody took yet. */
    public List<HostMessage> unread() {
        run();
        return List.copyOf(inbox);
    }

    /** Forgets what the host said so far and nobody took. */
    public void forget() {
        run();
        inbox.clear();
    }

    /** Connects and asks for offers. Throws if the host refuses the version. */
    public List<HostMessage.OfferChannel> connect(VmBusVersion version) {
        if (!contact(version.code(), 0)) {
            throw new IllegalStateException("the host refused version " + version);
        }
        post(new GuestMessage.RequestOffers());
        expect(HostMessage.AllOffersDelivered.class, m -> true);
        return offers();
    }

    /** Asks for a version; returns whether the host took it. */
    public boolean contact(int version, int targetVp) {
        boolean five = version >= VmBusVersion.V5_0.code();
        messageConnection = five ? VmBusServer.CONNECTION_ID_5 : VmBusServer.CONNECTION_ID;
        offers.clear();
        post(new GuestMessage.InitiateContact(version, targetVp, five ? VmBusServer.SINT : 0, 0, 0));
        var response = expect(HostMessage.VersionResponse.class, m -> true);
        if (response.supported() && five) {
            messageConnection = response.connectionIdOrVersion();
        }
        return response.supported();
    }

    /** What is offered now, in the order in which it was. */
    public List<HostMessage.OfferChannel> offers() {
        run();
        return List.copyOf(offers.values());
    }

    /** The offer of a channel of a device; throws if it is not there. */
    public HostMessage.OfferChannel offerOf(ChannelOffer device, int subChannelIndex) {
        return offers().stream()
                .filter(o -> o.instance().equals(device.instance())
                        && o.interfaceType().equals(device.interfaceType())
                        && o.subChannelIndex() == subChannelIndex)
                .findFirst()
                .orElseThrow(() -> new IllegalStateException("not offered: " + device + "; offered are " + offers));
    }

    /** Lends memory; returns its handle. Throws if the host refuses it. */
    public int createGpadl(int relId, List<GuestRange> ranges) {
        int id = nextGpadl++;
        int status = createGpadl(relId, id, ranges);
        if (status != HostMessage.SUCCESS) {
            throw new IllegalStateException("GPADL refused: 0x" + Integer.toHexString(status));
        }
        return id;
    }

    /** Lends memory under a handle; returns the host's status. */
    public int createGpadl(int relId, int id, List<GuestRange> ranges) {
        List<Long> words = new ArrayList<>();
        for (GuestRange range : ranges) {
            range.addTo(words);
        }
        int n = Math.min(words.size(), HEADER_WORDS);
        post(new GuestMessage.GpadlHeader(relId, id, 8 * words.size(), ranges.size(), words.subList(0, n)));
        for (int body = 0; n < words.size(); body++) {
            int end = Math.min(words.size(), n + BODY_WORDS);
            post(new GuestMessage.GpadlBody(body, id, words.subList(n, end)));
            n = end;
            if (body % 64 == 63) {
                run();
            }
        }
        return expect(HostMessage.GpadlCreated.class, m -> m.gpadl() == id).status();
    }

    /** Opens a device's primary channel with rings of so many pages each (control page included). */
    public GuestChannel open(ChannelOffer device, int upstreamPages, int downstreamPages) {
        return open(offerOf(device, 0), upstreamPages, downstreamPages, 0);
    }

    /** Opens a channel. Throws if the host refuses. */
    public GuestChannel open(HostMessage.OfferChannel offer, int upstreamPages, int downstreamPages, int targetVp) {
        int bytes = (upstreamPages + downstreamPages) * PageRuns.PAGE;
        long gpa = allocate(bytes);
        int gpadl = createGpadl(offer.relId(), List.of(GuestRange.of(gpa, bytes)));
        PageRuns all = new PageRuns(memory);
        all.add(gpa, bytes);
        all.seal();
        long split = (long) upstreamPages * PageRuns.PAGE;
        GuestChannel channel =
                new GuestChannel(this, offer, gpadl, gpa, all.part(0, split), all.part(split, bytes - split), targetVp);
        post(new GuestMessage.OpenChannel(offer.relId(), offer.relId(), gpadl, targetVp, upstreamPages, Octets.EMPTY));
        int status = expect(HostMessage.OpenResult.class, m -> m.relId() == offer.relId())
                .status();
        if (status != HostMessage.SUCCESS) {
            throw new IllegalStateException("open refused: 0x" + Integer.toHexString(status) + " " + failures);
        }
        return channel;
    }

    /** Unloads the driver. */
    public void unload() {
        post(new GuestMessage.Unload());
        expect(HostMessage.UnloadResponse.class, m -> true);
        offers.clear();
    }

    @Override
    public void close() {
        run();
        bus.close();
        settle();
        backing.close();
    }
}

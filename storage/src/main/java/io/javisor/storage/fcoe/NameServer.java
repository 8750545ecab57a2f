package io.javisor.storage.fcoe;

import io.javisor.storage.fcoe.FabricPorts.Entry;
import io.javisor.storage.fibrechannel.Wwn;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiPredicate;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The directory of ports (FC-GS-6 section 5): ports say what they are, and ask for others, of which they hear as zones allow.
 *
 * <pre>
 * 0 revision   4 service type   5 subtype   8 command   10 most words of the answer   13 reason   14 explanation   16 content
 * </pre>
 */
final class NameServer {
    private static final int PREAMBLE = 16;
    private static final int ACCEPT = 0x8002;
    private static final int REJECT = 0x8001;
    private static final int DIRECTORY = 0xFC;
    private static final int NAMES = 0x02;

    private static final int GPN_ID = 0x112;
    private static final int GNN_ID = 0x113;
    private static final int GFF_ID = 0x11F;
    private static final int GID_PN = 0x121;
    private static final int GID_FT = 0x171;
    private static final int GPN_FT = 0x172;
    private static final int RPN_ID = 0x212;
    private static final int RNN_ID = 0x213;
    private static final int RFT_ID = 0x217;
    private static final int RSPN_ID = 0x218;
    private static final int RFF_ID = 0x21F;
    private static final int RSNN_NN = 0x239;

    private static final int UNABLE = 0x09;
    private static final int NOT_SUPPORTED = 0x0B;
    private static final int LOGICAL_ERROR = 0x03;
    private static final int NO_SUCH_PORT = 0x01;
    private static final int NO_SUCH_TYPE = 0x07;

    private static final int TYPE_FCP = 8;
    private static final int LAST = 0x80;
    private static final int MOST_ANSWER = 2048;

    private final FabricPorts ports;
    private final BiPredicate<Entry, Entry> sees;
    private final Consumer<Entry> changed;

    /**
     * @param sees whether one hears of another
     * @param changed called when a port has said what it is
     */
    NameServer(FabricPorts ports, BiPredicate<Entry, Entry> sees, Consumer<Entry> changed) {
        this.ports = ports;
        this.sees = sees;
        this.changed = changed;
    }

    /** Answers a request; null for what is none. */
    byte @Nullable [] answer(Entry asking, ByteBuffer request) {
        if (request.limit() < PREAMBLE) {
            return null;
        }
        if ((request.get(4) & 0xFF) != DIRECTORY || (request.get(5) & 0xFF) != NAMES) {
            return reject(request, NOT_SUPPORTED, 0);
        }
        ByteBuffer content = request.slice(PREAMBLE, request.limit() - PREAMBLE);
        int command = request.getShort(8) & 0xFFFF;
        int least = switch (command) {
            case RFT_ID -> 36;
            case RFF_ID, GID_PN -> 8;
            case GPN_ID, GNN_ID, GFF_ID, GID_FT, GPN_FT -> 4;
            default -> 0;
        };
        if (content.limit() < least) {
            return reject(request, LOGICAL_ERROR, 0);
        }
        return switch (command) {
            case RFT_ID, RFF_ID -> register(asking, command, request, content);
            case RPN_ID, RNN_ID, RSPN_ID, RSNN_NN -> accept(request, new byte[0]); // known from the login, or of no use
            case GPN_ID, GNN_ID, GFF_ID -> describe(asking, command, request, content.getInt(0) & 0xFFFFFF);
            case GID_PN -> find(asking, request, content.getLong(0));
            case GID_FT, GPN_FT -> list(asking, command, request, content.get(3) & 0xFF);
            default -> reject(request, NOT_SUPPORTED, 0);
        };
    }

    /** A port speaks for itself only. */
    private byte[] register(Entry asking, int command, ByteBuffer request, ByteBuffer content) {
        if ((content.getInt(0) & 0xFFFFFF) != asking.id) {
            return reject(request, UNABLE, NO_SUCH_PORT);
        }
        if (command == RFT_ID) {
            content.get(4, asking.types);
        } else {
            if ((content.get(7) & 0xFF) == TYPE_FCP) {
                asking.features = content.get(6) & 0xFF;
            }
            asking.announced = true;
            changed.accept(asking);
        }
        return accept(request, new byte[0]);
    }

    private byte[] describe(Entry asking, int command, ByteBuffer request, int id) {
        Entry found = visible(asking, ports.byId(id));
        if (found == null) {
            return reject(request, UNABLE, NO_SUCH_PORT);
        }
        if (command == GFF_ID) { // 4 bits a type, the highest of a word first: FCP is the lowest of the second word
            return accept(
                    request,
                    ByteBuffer.allocate(128).putInt(4, found.features & 0xF).array());
        }
        Wwn name = command == GPN_ID ? found.portName : found.nodeName;
        return accept(request, ByteBuffer.allocate(8).putLong(name.value()).array());
    }

    private byte[] find(Entry asking, ByteBuffer request, long name) {
        for (Entry entry : ports.all()) {
            if (entry.portName.value() == name && visible(asking, entry) != null) {
                return accept(request, ByteBuffer.allocate(4).putInt(entry.id).array());
            }
        }
        return reject(request, UNABLE, NO_SUCH_PORT);
    }

    private byte[] list(Entry asking, int command, ByteBuffer request, int type) {
        boolean named = command == GPN_FT;
        int each = named ? 16 : 4;
        List<Entry> found = new ArrayList<>();
        for (Entry entry : ports.all()) {
            if (entry.has(type) && visible(asking, entry) != null && (found.size() + 1) * each <= MOST_ANSWER) {
                found.add(entry);
            }
        }
        if (found.isEmpty()) {
            return reject(request, UNABLE, NO_SUCH_TYPE);
        }
        ByteBuffer out = ByteBuffer.allocate(found.size() * each);
        for (Entry entry : found) {
            out.putInt(entry.id);
            if (named) {
                out.putInt(0).putLong(entry.portName.value());
            }
        }
        out.put(out.limit() - each, (byte) LAST);
        return accept(request, out.array());
    }

    private @Nullable Entry visible(Entry asking, @Nullable Entry other) {
        return other != null && sees.test(asking, other) ? other : null;
    }

    private static byte[] accept(ByteBuffer request, byte[] content) {
        return answer(request, ACCEPT, 0, 0, content);
    }

    private static byte[] reject(ByteBuffer request, int reason, int explanation) {
        return answer(request, REJECT, reason, explanation, new byte[0]);
    }

    private static byte[] answer(ByteBuffer request, int code, int reason, int explanation, byte[] content) {
        return ByteBuffer.allocate(PREAMBLE + content.length)
                .putLong(0, request.getLong(0))
                .putShort(8, (short) code)
                .put(13, (byte) reason)
                .put(14, (byte) explanation)
                .put(PREAMBLE, content)
                .array();
    }
}

package io.javisor.vmbus.service;

import io.javisor.vmbus.protocol.Octets;
import io.javisor.vmbus.protocol.Wire;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * A message of an integration service, without its pipe header.
 *
 * @param framework version of the framework
 * @param type ICMSGTYPE_*
 * @param version of the service
 * @param status HRESULT of an answer
 * @param transaction 0 to 255, echoed in the answer
 * @param flags ICMSGHDRFLAG_*
 * @param body what the type says
 */
record IcMessage(
        IcVersion framework, int type, IcVersion version, int status, int transaction, int flags, Octets body) {
    static final int NEGOTIATE = 0;
    static final int HEARTBEAT = 1;
    static final int KEY_VALUE_EXCHANGE = 2;
    static final int SHUTDOWN = 3;
    static final int TIME_SYNC = 4;
    static final int BACKUP = 5;

    static final int FLAG_TRANSACTION = 1;
    static final int FLAG_REQUEST = 2;
    static final int FLAG_RESPONSE = 4;

    static final int HEADERS = 28;
    static final IcVersion NO_VERSION = new IcVersion(0, 0);

    static IcMessage request(IcVersion framework, IcVersion version, int type, int transaction, byte[] body) {
        return new IcMessage(
                framework, type, version, 0, transaction, FLAG_TRANSACTION | FLAG_REQUEST, Octets.of(body));
    }

    /** The first message on a channel: what the host speaks. */
    static IcMessage negotiate(int transaction, List<IcVersion> frameworks, List<IcVersion> versions) {
        ByteBuffer body = Wire.buffer(new byte[8 + 4 * (frameworks.size() + versions.size())])
                .putShort((short) frameworks.size())
                .putShort((short) versions.size())
                .putInt(0);
        for (List<IcVersion> list : List.of(frameworks, versions)) {
            for (IcVersion version : list) {
                body.putShort((short) version.major()).putShort((short) version.minor());
            }
        }
        return request(NO_VERSION, NO_VERSION, NEGOTIATE, transaction, Wire.bytes(body));
    }

    /** What the guest chose of each list; empty if it chose nothing or the answer is nonsense. */
    List<IcVersion> chosen() {
        if (body.size() < 16) {
            return List.of();
        }
        ByteBuffer in = Wire.buffer(body.toByteArray());
        int frameworks = in.getShort();
        int versions = in.getShort();
        in.getInt();
        List<IcVersion> chosen = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            chosen.add(new IcVersion(in.getShort() & 0xFFFF, in.getShort() & 0xFFFF));
        }
        return frameworks == 1 && versions == 1 ? chosen : List.of();
    }

    boolean isResponse() {
        return (flags & FLAG_RESPONSE) != 0;
    }

    byte[] encode() {
        ByteBuffer out = Wire.buffer(new byte[HEADERS + body.size()])
                .putInt(1)
                .putInt(HEADERS - 8 + body.size())
                .putShort((short) framework.major())
                .putShort((short) framework.minor())
                .putShort((short) type)
                .putShort((short) version.major())
                .putShort((short) version.minor())
                .putShort((short) body.size())
                .putInt(status)
                .put((byte) transaction)
                .put((byte) flags)
                .putShort((short) 0)
                .put(body.toByteArray());
        return Wire.bytes(out);
    }

    /**
     * Decodes a message with its pipe header.
     *
     * @throws IntegrationException if it is too short for what it says it holds
     */
    static IcMessage decode(byte[] bytes) {
        if (bytes.length < HEADERS) {
            throw IntegrationException.nonsense("a message", bytes.length + " bytes");
        }
        ByteBuffer in = Wire.buffer(bytes);
        in.getInt();
        in.getInt();
        IcVersion framework = new IcVersion(in.getShort() & 0xFFFF, in.getShort() & 0xFFFF);
        int type = in.getShort() & 0xFFFF;
        IcVersion version = new IcVersion(in.getShort() & 0xFFFF, in.getShort() & 0xFFFF);
        int size = in.getShort() & 0xFFFF;
        int status = in.getInt();
        int transaction = in.get() & 0xFF;
        int flags = in.get() & 0xFF;
        in.getShort();
        // Linux shrinks the size of its answers to NEGOTIATE and leaves others alone; the packet bounds what there is.
        byte[] body = new byte[Math.min(size, in.remaining())];
        in.get(body);
        return new IcMessage(framework, type, version, status, transaction, flags, Octets.of(body));
    }
}

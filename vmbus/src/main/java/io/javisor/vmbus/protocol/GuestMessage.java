package io.javisor.vmbus.protocol;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;

/** A control message from the guest. Numbers are as the guest gave them; only lengths have been checked. */
public sealed interface GuestMessage {
    /** Bytes of type and padding that open every message. */
    int HEADER_BYTES = 8;

    /** Bytes of a message at most (HV_MESSAGE_PAYLOAD_BYTE_COUNT). */
    int MAX_BYTES = 240;

    /** Bytes of user data in OPENCHANNEL and of an offer (MAX_USER_DEFINED_BYTES). */
    int USER_BYTES = 120;

    /**
     * Asks for a version; ends any connection that there is.
     *
     * @param version code of the version
     * @param targetVp VP index to which messages shall be sent
     * @param sint from version 5.0 on: the SINT to which messages shall be sent (before, an address that we don't use)
     * @param monitorPage1 guest-physical address of the host→guest monitor page (not used here)
     * @param monitorPage2 guest-physical address of the guest→host monitor page (not used here)
     */
    record InitiateContact(int version, int targetVp, long sint, long monitorPage1, long monitorPage2)
            implements GuestMessage {
        @Override
        public byte[] encode() {
            return Wire.message(MessageTypes.INITIATE_CONTACT, 40)
                    .putInt(version)
                    .putInt(targetVp)
                    .putLong(sint)
                    .putLong(monitorPage1)
                    .putLong(monitorPage2)
                    .array();
        }
    }

    /** Asks for all offers. */
    record RequestOffers() implements GuestMessage {
        @Override
        public byte[] encode() {
            return Wire.message(MessageTypes.REQUEST_OFFERS, HEADER_BYTES).array();
        }
    }

    /**
     * Opens a channel.
     *
     * @param relId channel ID from its offer
     * @param openId echoed in the answer
     * @param ringGpadl the GPADL of both rings
     * @param targetVp VP index to interrupt
     * @param downstreamPage the page at which the host→guest ring begins
     * @param userData {@value #USER_BYTES} bytes for the device
     */
    record OpenChannel(int relId, int openId, int ringGpadl, int targetVp, int downstreamPage, Octets userData)
            implements GuestMessage {
        @Override
        public byte[] encode() {
            return Wire.message(MessageTypes.OPEN_CHANNEL, 28 + USER_BYTES)
                    .putInt(relId)
                    .putInt(openId)
                    .putInt(ringGpadl)
                    .putInt(targetVp)
                    .putInt(downstreamPage)
                    .put(userData.resized(USER_BYTES).toByteArray())
                    .array();
        }
    }

    /** Closes a channel; there is no answer. */
    record CloseChannel(int relId) implements GuestMessage {
        @Override
        public byte[] encode() {
            return Wire.message(MessageTypes.CLOSE_CHANNEL, 12).putInt(relId).array();
        }
    }

    /**
     * Begins a GPADL.
     *
     * @param relId the channel it is for
     * @param gpadl its handle, chosen by the guest
     * @param rangeBytes bytes of all ranges, in this message and the bodies that follow
     * @param rangeCount number of ranges
     * @param words the first words of the ranges; each range is a word (byte count in the lower half, byte offset in the
     *     upper) and then its page numbers
     */
    record GpadlHeader(int relId, int gpadl, int rangeBytes, int rangeCount, List<Long> words) implements GuestMessage {
        /** Copies the list. */
        public GpadlHeader {
            words = List.copyOf(words);
        }

        @Override
        public byte[] encode() {
            ByteBuffer out = Wire.message(MessageTypes.GPADL_HEADER, 20 + 8 * words.size())
                    .putInt(relId)
                    .putInt(gpadl)
                    .putShort((short) rangeBytes)
                    .putShort((short) rangeCount);
            words.forEach(out::putLong);
            return Wire.bytes(out);
        }
    }

    /**
     * More words of a GPADL.
     *
     * @param number of this body, not used
     * @param gpadl its handle
     * @param words see {@link GpadlHeader}
     */
    record GpadlBody(int number, int gpadl, List<Long> words) implements GuestMessage {
        /** Copies the list. */
        public GpadlBody {
            words = List.copyOf(words);
        }

        @Override
        public byte[] encode() {
            ByteBuffer out = Wire.message(MessageTypes.GPADL_BODY, 16 + 8 * words.size())
                    .putInt(number)
                    .putInt(gpadl);
            words.forEach(out::putLong);
            return Wire.bytes(out);
        }
    }

    /** Ends a GPADL. */
    record GpadlTeardown(int relId, int gpadl) implements GuestMessage {
        @Override
        public byte[] encode() {
            return Wire.message(MessageTypes.GPADL_TEARDOWN, 16)
                    .putInt(relId)
                    .putInt(gpadl)
                    .array();
        }
    }

    /** The guest has forgotten a rescinded channel; its ID may be used again. */
    record RelIdReleased(int relId) implements GuestMessage {
        @Override
        public byte[] encode() {
            return Wire.message(MessageTypes.RELID_RELEASED, 12).putInt(relId).array();
        }
    }

    /** Ends the connection; always answered. */
    record Unload() implements GuestMessage {
        @Override
        public byte[] encode() {
            return Wire.message(MessageTypes.UNLOAD, HEADER_BYTES).array();
        }
    }

    /**
     * Asks for a connection to a service of the host.
     *
     * @param guestEndpoint the guest's own address
     * @param hostService whom it wants to talk to
     */
    record TlConnectRequest(UUID guestEndpoint, UUID hostService) implements GuestMessage {
        @Override
        public byte[] encode() {
            ByteBuffer out = Wire.message(MessageTypes.TL_CONNECT_REQUEST, 40);
            Wire.putGuid(out, guestEndpoint);
            return Wire.putGuid(out, hostService).array();
        }
    }

    /** Moves a channel's interrupt to another vCPU. */
    record ModifyChannel(int relId, int targetVp) implements GuestMessage {
        @Override
        public byte[] encode() {
            return Wire.message(MessageTypes.MODIFY_CHANNEL, 16)
                    .putInt(relId)
                    .putInt(targetVp)
                    .array();
        }
    }

    /** The message as bytes. */
    byte[] encode();

    /** Whether these bytes look like a message that ends the present connection, without decoding all of it. */
    static boolean endsConnection(byte[] bytes) {
        if (bytes.length < HEADER_BYTES) {
            return false;
        }
        int type = Wire.buffer(bytes).getInt(0);
        return type == MessageTypes.INITIATE_CONTACT || type == MessageTypes.UNLOAD;
    }

    /**
     * Decodes a message; bytes after its end are ignored, as newer guests may send more.
     *
     * @throws MalformedMessageException if it is too short or not a guest's message
     */
    static GuestMessage decode(byte[] bytes) {
        ByteBuffer in = Wire.buffer(bytes);
        int type = need(bytes, HEADER_BYTES, 0).getInt(0);
        return switch (type) {
            case MessageTypes.INITIATE_CONTACT -> {
                in = need(bytes, 40, type);
                yield new InitiateContact(in.getInt(), in.getInt(), in.getLong(), in.getLong(), in.getLong());
            }
            case MessageTypes.REQUEST_OFFERS -> new RequestOffers();
            case MessageTypes.OPEN_CHANNEL -> {
                in = need(bytes, 28, type);
                int relId = in.getInt();
                int openId = in.getInt();
                int gpadl = in.getInt();
                int vp = in.getInt();
                int page = in.getInt();
                byte[] user = new byte[Math.min(USER_BYTES, in.remaining())];
                in.get(user);
                yield new OpenChannel(
                        relId, openId, gpadl, vp, page, Octets.of(user).resized(USER_BYTES));
            }
            case MessageTypes.CLOSE_CHANNEL ->
                new CloseChannel(need(bytes, 12, type).getInt());
            case MessageTypes.GPADL_HEADER -> {
                in = need(bytes, 20, type);
                yield new GpadlHeader(
                        in.getInt(), in.getInt(), in.getShort() & 0xFFFF, in.getShort() & 0xFFFF, words(in));
            }
            case MessageTypes.GPADL_BODY -> {
                in = need(bytes, 16, type);
                yield new GpadlBody(in.getInt(), in.getInt(), words(in));
            }
            case MessageTypes.GPADL_TEARDOWN -> {
                in = need(bytes, 16, type);
                yield new GpadlTeardown(in.getInt(), in.getInt());
            }
            case MessageTypes.RELID_RELEASED ->
                new RelIdReleased(need(bytes, 12, type).getInt());
            case MessageTypes.UNLOAD -> new Unload();
            case MessageTypes.TL_CONNECT_REQUEST -> {
                in = need(bytes, 40, type);
                yield new TlConnectRequest(Wire.getGuid(in), Wire.getGuid(in));
            }
            case MessageTypes.MODIFY_CHANNEL -> {
                in = need(bytes, 16, type);
                yield new ModifyChannel(in.getInt(), in.getInt());
            }
            default ->
                throw new MalformedMessageException(
                        "control message of type " + Integer.toUnsignedString(type) + ", which guests don't send");
        };
    }

    private static ByteBuffer need(byte[] bytes, int length, int type) {
        if (bytes.length < length || bytes.length > MAX_BYTES) {
            throw new MalformedMessageException("control message of type " + type + " has " + bytes.length
                    + " bytes, not " + length + " to " + MAX_BYTES);
        }
        return Wire.buffer(bytes).position(HEADER_BYTES);
    }

    private static List<Long> words(ByteBuffer in) {
        List<Long> words = new ArrayList<>(in.remaining() / 8);
        while (in.remaining() >= 8) {
            words.add(in.getLong());
        }
        return words;
    }
}

package io.javisor.vmbus.protocol;

import java.nio.ByteBuffer;
import java.util.UUID;

/** A control message to the guest. */
public sealed interface HostMessage {
    /** Status: done. */
    int SUCCESS = 0;
    /** Status: something in the request is wrong (STATUS_INVALID_PARAMETER). */
    int INVALID_PARAMETER = 0xC000_000D;
    /** Status: a bound of the host is reached (STATUS_INSUFFICIENT_RESOURCES). */
    int INSUFFICIENT_RESOURCES = 0xC000_009A;
    /** Status: nobody is there (STATUS_CONNECTION_REFUSED). */
    int CONNECTION_REFUSED = 0xC000_0236;
    /** Status: the device did not take it (STATUS_UNSUCCESSFUL). */
    int UNSUCCESSFUL = 0xC000_0001;

    /** Offer flag: may be enumerated as a device (VMBUS_CHANNEL_ENUMERATE_DEVICE_INTERFACE). */
    int FLAG_ENUMERATE = 0x0001;
    /** Offer flag: the channel is a pipe; the user data begins with the pipe's mode (VMBUS_CHANNEL_NAMED_PIPE_MODE). */
    int FLAG_NAMED_PIPE = 0x0010;
    /** Offer flag: the channel is a host–guest socket (VMBUS_CHANNEL_TLNPI_PROVIDER_OFFER). */
    int FLAG_SOCKET = 0x2000;

    /**
     * Answers INITIATE_CONTACT.
     *
     * @param supported whether the version that was asked for is spoken here
     * @param connectionIdOrVersion from version 5.0 on: where to post messages from now on; before: the version
     */
    record VersionResponse(boolean supported, int connectionIdOrVersion) implements HostMessage {
        @Override
        public byte[] encode() {
            return Wire.message(MessageTypes.VERSION_RESPONSE, 16)
                    .put((byte) (supported ? 1 : 0))
                    .put((byte) 0)
                    .putShort((short) 0)
                    .putInt(connectionIdOrVersion)
                    .array();
        }
    }

    /**
     * Offers a channel.
     *
     * @param interfaceType what kind of device
     * @param instance which one
     * @param flags FLAG_*
     * @param mmioMegabytes memory-mapped I/O space that the device wants, in MiB
     * @param userData {@value GuestMessage#USER_BYTES} bytes
     * @param subChannelIndex 0 for a primary channel
     * @param relId channel ID, which is also its event flag
     * @param connectionId where the guest signals
     */
    record OfferChannel(
            UUID interfaceType,
            UUID instance,
            int flags,
            int mmioMegabytes,
            Octets userData,
            int subChannelIndex,
            int relId,
            int connectionId)
            implements HostMessage {
        @Override
        public byte[] encode() {
            ByteBuffer out = Wire.message(MessageTypes.OFFER_CHANNEL, 196);
            Wire.putGuid(out, interfaceType);
            Wire.putGuid(out, instance);
            out.putLong(0)
                    .putLong(0)
                    .putShort((short) flags)
                    .putShort((short) mmioMegabytes)
                    .put(userData.resized(GuestMessage.USER_BYTES).toByteArray())
                    .putShort((short) subChannelIndex)
                    .putShort((short) 0)
                    .putInt(relId)
                    .put((byte) 0) // monitor ID
                    .put((byte) 0) // no monitor allocated
                    .putShort((short) 1) // is_dedicated_interrupt: signalled by its own connection ID
                    .putInt(connectionId);
            return Wire.bytes(out);
        }
    }

    /** Takes an offer back. */
    record RescindOffer(int relId) implements HostMessage {
        @Override
        public byte[] encode() {
            return Wire.message(MessageTypes.RESCIND_CHANNEL_OFFER, 12)
                    .putInt(relId)
                    .array();
        }
    }

    /** Ends the offers that answer REQUEST_OFFERS. */
    record AllOffersDelivered() implements HostMessage {
        @Override
        public byte[] encode() {
            return Wire.message(MessageTypes.ALL_OFFERS_DELIVERED, GuestMessage.HEADER_BYTES)
                    .array();
        }
    }

    /** Answers OPENCHANNEL. */
    record OpenResult(int relId, int openId, int status) implements HostMessage {
        @Override
        public byte[] encode() {
            return Wire.message(MessageTypes.OPEN_CHANNEL_RESULT, 20)
                    .putInt(relId)
                    .putInt(openId)
                    .putInt(status)
                    .array();
        }
    }

    /** Answers a whole GPADL. */
    record GpadlCreated(int relId, int gpadl, int status) implements HostMessage {
        @Override
        public byte[] encode() {
            return Wire.message(MessageTypes.GPADL_CREATED, 20)
                    .putInt(relId)
                    .putInt(gpadl)
                    .putInt(status)
                    .array();
        }
    }

    /** Answers GPADL_TEARDOWN: the host has let go of the memory. */
    record GpadlTorndown(int gpadl) implements HostMessage {
        @Override
        public byte[] encode() {
            return Wire.message(MessageTypes.GPADL_TORNDOWN, 12).putInt(gpadl).array();
        }
    }

    /** Answers UNLOAD. */
    record UnloadResponse() implements HostMessage {
        @Override
        public byte[] encode() {
            return Wire.message(MessageTypes.UNLOAD_RESPONSE, GuestMessage.HEADER_BYTES)
                    .array();
        }
    }

    /** Answers MODIFYCHANNEL from version 5.3 on. */
    record ModifyChannelResponse(int relId, int status) implements HostMessage {
        @Override
        public byte[] encode() {
            return Wire.message(MessageTypes.MODIFY_CHANNEL_RESPONSE, 16)
                    .putInt(relId)
                    .putInt(status)
                    .array();
        }
    }

    /** Answers TL_CONNECT_REQUEST if nobody listens; success is told by an offer. */
    record TlConnectResult(UUID guestEndpoint, UUID hostService, int status) implements HostMessage {
        @Override
        public byte[] encode() {
            ByteBuffer out = Wire.message(MessageTypes.TL_CONNECT_RESULT, 44);
            Wire.putGuid(out, guestEndpoint);
            return Wire.putGuid(out, hostService).putInt(status).array();
        }
    }

    /** The message as bytes. */
    byte[] encode();

    /**
     * Decodes a message, as a guest would.
     *
     * @throws MalformedMessageException if it is too short or not a host's message
     */
    static HostMessage decode(byte[] bytes) {
        if (bytes.length < GuestMessage.HEADER_BYTES) {
            throw new MalformedMessageException("control message of " + bytes.length + " bytes");
        }
        ByteBuffer in = Wire.buffer(bytes);
        int type = in.getInt();
        in.getInt();
        try {
            return switch (type) {
                case MessageTypes.VERSION_RESPONSE -> {
                    boolean supported = in.getInt() != 0;
                    yield new VersionResponse(supported, in.getInt());
                }
                case MessageTypes.OFFER_CHANNEL -> offer(in);
                case MessageTypes.RESCIND_CHANNEL_OFFER -> new RescindOffer(in.getInt());
                case MessageTypes.ALL_OFFERS_DELIVERED -> new AllOffersDelivered();
                case MessageTypes.OPEN_CHANNEL_RESULT -> new OpenResult(in.getInt(), in.getInt(), in.getInt());
                case MessageTypes.GPADL_CREATED -> new GpadlCreated(in.getInt(), in.getInt(), in.getInt());
                case MessageTypes.GPADL_TORNDOWN -> new GpadlTorndown(in.getInt());
                case MessageTypes.UNLOAD_RESPONSE -> new UnloadResponse();
                case MessageTypes.MODIFY_CHANNEL_RESPONSE -> new ModifyChannelResponse(in.getInt(), in.getInt());
                case MessageTypes.TL_CONNECT_RESULT ->
                    new TlConnectResult(Wire.getGuid(in), Wire.getGuid(in), in.getInt());
                default ->
                    throw new MalformedMessageException(
                            "control message of type " + Integer.toUnsignedString(type) + ", which hosts don't send");
            };
        } catch (java.nio.BufferUnderflowException e) {
            throw new MalformedMessageException(
                    "control message of type " + type + " has only " + bytes.length + " bytes");
        }
    }

    private static OfferChannel offer(ByteBuffer in) {
        UUID type = Wire.getGuid(in);
        UUID instance = Wire.getGuid(in);
        in.getLong();
        in.getLong();
        int flags = in.getShort() & 0xFFFF;
        int mmio = in.getShort() & 0xFFFF;
        byte[] user = new byte[GuestMessage.USER_BYTES];
        in.get(user);
        int sub = in.getShort() & 0xFFFF;
        in.getShort();
        int relId = in.getInt();
        in.getInt(); // monitor ID, dedicated interrupt
        return new OfferChannel(type, instance, flags, mmio, Octets.of(user), sub, relId, in.getInt());
    }
}

package io.javisor.vmbus.protocol;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.HexFormat;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class MessageTest {
    private static final UUID HEARTBEAT = UUID.fromString("57164f39-9115-4e78-ab55-382f3bd5422d");

    static List<GuestMessage> guestMessages() {
        return List.of(
                new GuestMessage.InitiateContact(0x50003, 1, 2, 0x1000, 0x2000),
                new GuestMessage.RequestOffers(),
                new GuestMessage.OpenChannel(
                        1, 2, 0xE1E10, 3, 4, Octets.of((byte) 7).resized(120)),
                new GuestMessage.CloseChannel(5),
                new GuestMessage.GpadlHeader(1, 0xE1E11, 24, 1, List.of(0x1_0000_2000L, 5L, 6L)),
                new GuestMessage.GpadlBody(1, 0xE1E11, List.of(7L, 8L)),
                new GuestMessage.GpadlTeardown(1, 0xE1E11),
                new GuestMessage.RelIdReleased(9),
                new GuestMessage.Unload(),
                new GuestMessage.TlConnectRequest(HEARTBEAT, UUID.randomUUID()),
                new GuestMessage.ModifyChannel(1, 3));
    }

    static List<HostMessage> hostMessages() {
        return List.of(
                new HostMessage.VersionResponse(true, 4),
                new HostMessage.OfferChannel(
                        HEARTBEAT,
                        UUID.randomUUID(),
                        0x11,
                        8,
                        Octets.of((byte) 4).resized(120),
                        1,
                        2047,
                        0x27FF),
                new HostMessage.RescindOffer(3),
                new HostMessage.AllOffersDelivered(),
                new HostMessage.OpenResult(1, 2, HostMessage.UNSUCCESSFUL),
                new HostMessage.GpadlCreated(1, 0xE1E10, 0),
                new HostMessage.GpadlTorndown(0xE1E10),
                new HostMessage.UnloadResponse(),
                new HostMessage.ModifyChannelResponse(1, 0),
                new HostMessage.TlConnectResult(HEARTBEAT, HEARTBEAT, HostMessage.CONNECTION_REFUSED));
    }

    @ParameterizedTest
    @MethodSource("guestMessages")
    void aGuestMessageComesBackAsItWas(GuestMessage message) {
        assertThat(GuestMessage.decode(message.encode())).isEqualTo(message);
        assertThat(message.encode()).hasSizeLessThanOrEqualTo(GuestMessage.MAX_BYTES);
    }

    @ParameterizedTest
    @MethodSource("hostMessages")
    void aHostMessageComesBackAsItWas(HostMessage message) {
        assertThat(HostMessage.decode(message.encode())).isEqualTo(message);
        assertThat(message.encode()).hasSizeLessThanOrEqualTo(GuestMessage.MAX_BYTES);
    }

    @ParameterizedTest
    @MethodSource("guestMessages")
    void aMessageCutShortIsRefused(GuestMessage message) {
        byte[] whole = message.encode();
        for (int length = 0; length < whole.length; length++) {
            byte[] cut = java.util.Arrays.copyOf(whole, length);
            try {
                GuestMessage decoded = GuestMessage.decode(cut);
                // What may be shorter: lists of words, and user data.
                assertThat(decoded.getClass()).isEqualTo(message.getClass());
            } catch (MalformedMessageException e) {
                assertThat(e.code()).isEqualTo("vmbus-message");
            }
        }
    }

    /** Lengths and offsets of include/linux/hyperv.h. */
    @Test
    void anOfferLiesAsLinuxReadsIt() {
        byte[] offer = new HostMessage.OfferChannel(
                        HEARTBEAT, HEARTBEAT, 0x11, 0, Octets.of((byte) 4), 0x0102, 0x0304, 0x2304)
                .encode();
        assertThat(offer).hasSize(196);
        assertThat(HexFormat.of().formatHex(offer, 0, 24))
                .isEqualTo("0100000000000000394f16571591784eab55382f3bd5422d");
        assertThat(HexFormat.of().formatHex(offer, 56, 61)).isEqualTo("1100000004");
        assertThat(HexFormat.of().formatHex(offer, 180, 196)).isEqualTo("02010000040300000000010004230000");
    }

    @Test
    void theVersionResponseHasTheConnectionIdWhereLinuxReadsIt() {
        assertThat(HexFormat.of().formatHex(new HostMessage.VersionResponse(true, 4).encode()))
                .isEqualTo("0f000000000000000100000004000000");
    }

    @Test
    void hostTypesAndUnknownTypesAreRefusedFromAGuest() {
        for (int type : new int[] {0, 1, 2, 4, 6, 10, 12, 15, 17, 18, 19, 20, 23, 24, 25, -1}) {
            byte[] bytes = Wire.bytes(Wire.message(type, 240));
            assertThatThrownBy(() -> GuestMessage.decode(bytes)).isInstanceOf(MalformedMessageException.class);
        }
        assertThatThrownBy(() -> GuestMessage.decode(new byte[241])).isInstanceOf(MalformedMessageException.class);
    }

    @Test
    void versionsAreMatchedExactly() {
        assertThat(VmBusVersion.of(0x50003)).isEqualTo(VmBusVersion.V5_3);
        assertThat(VmBusVersion.of(0x50004)).isNull();
        assertThat(VmBusVersion.of(0x10001)).isNull();
        assertThat(VmBusVersion.V5_3.atLeast(VmBusVersion.V4_1)).isTrue();
        assertThat(VmBusVersion.V3_0.atLeast(VmBusVersion.V4_0)).isFalse();
    }
}

package io.javisor.vmbus.protocol;

/** CHANNELMSG_*: the first word of every control message. */
final class MessageTypes {
    static final int OFFER_CHANNEL = 1;
    static final int RESCIND_CHANNEL_OFFER = 2;
    static final int REQUEST_OFFERS = 3;
    static final int ALL_OFFERS_DELIVERED = 4;
    static final int OPEN_CHANNEL = 5;
    static final int OPEN_CHANNEL_RESULT = 6;
    static final int CLOSE_CHANNEL = 7;
    static final int GPADL_HEADER = 8;
    static final int GPADL_BODY = 9;
    static final int GPADL_CREATED = 10;
    static final int GPADL_TEARDOWN = 11;
    static final int GPADL_TORNDOWN = 12;
    static final int RELID_RELEASED = 13;
    static final int INITIATE_CONTACT = 14;
    static final int VERSION_RESPONSE = 15;
    static final int UNLOAD = 16;
    static final int UNLOAD_RESPONSE = 17;
    static final int TL_CONNECT_REQUEST = 21;
    static final int MODIFY_CHANNEL = 22;
    static final int TL_CONNECT_RESULT = 23;
    static final int MODIFY_CHANNEL_RESPONSE = 24;

    private MessageTypes() {}
}

using System.Buffers;
using System.Text;

namespace TeleCmi.Events.Tests;

public sealed class FormTests
{
    [Theory]
    [InlineData("to=%2B442000000001", "+442000000001")]
    [InlineData("to=+442000000001", "+442000000001")]
    [InlineData("to=%20442000000001", "+442000000001")]
    [InlineData("to=442000000001", "442000000001")]
    [InlineData("to=04471000000", "04471000000")]
    [InlineData("to=+", null)]
    [InlineData("to=+John", " John")]
    public void PlusSignOfAPhoneNumber_Survives(string field, string? expected) =>
        Given.Form("app_id=1&" + field).To.ShouldBe(expected);

    [Fact]
    public void PlusSignElsewhere_IsASpace() => Given.Form("app_id=1&user=+5+6").User.ShouldBe(" 5 6");

    [Theory]
    [InlineData("app_id=2223343", "{\"app_id\":2223343}")]
    [InlineData("time=0", "{\"time\":0}")]
    [InlineData("app_id=007", "{\"app_id\":\"007\"}")]
    [InlineData("app_id=-1", "{\"app_id\":\"-1\"}")]
    [InlineData("app_id=", "{\"app_id\":\"\"}")]
    [InlineData("app_id=1234567890123456", "{\"app_id\":\"1234567890123456\"}")]
    [InlineData("record=true&voicemail=false", "{\"record\":true,\"voicemail\":false}")]
    [InlineData("record=yes", "{\"record\":\"yes\"}")]
    [InlineData("to=+", "{\"to\":\" \"}")]
    [InlineData("leg", "{\"leg\":\"\"}")]
    [InlineData("a=b=c", "{\"a\":\"b=c\"}")]
    [InlineData("??a=1", "{\"a\":\"1\"}")]
    [InlineData("&&a=1&&", "{\"a\":\"1\"}")]
    [InlineData("=x", "{\"\":\"x\"}")]
    [InlineData("a=%zz%4&b=%", "{\"a\":\"%zz%4\",\"b\":\"%\"}")]
    [InlineData("a%5Bb%5D=%22%5C%0A", "{\"a[b]\":\"\\\"\\\\\\n\"}")]
    [InlineData("n=%C3%A9", "{\"n\":\"é\"}")]
    [InlineData("", "{}")]
    public void Fields_BecomeJsonOfTheDocumentedTypes(string encoded, string expected) =>
        Given.FormJson(encoded).ShouldBe(expected);

    [Fact]
    public void RepeatedField_CountsAsItStandsLast() =>
        Given.Form("app_id=1&status=answered&status=hangup").Status.ShouldBe("hangup");

    [Theory]
    [InlineData("a=%ff")]
    [InlineData("%ff=a")]
    [InlineData("app_id=1&custom=%ED%A0%80")]
    public void TextThatIsNotUtf8_IsRefused(string encoded) =>
        NoticeForm.WriteJson(Encoding.ASCII.GetBytes(encoded), new ArrayBufferWriter<byte>()).ShouldBe(-1);

    [Fact]
    public void Count_IsTheNumberOfFields()
    {
        NoticeForm.WriteJson("?a=1&b&a=2&"u8, new ArrayBufferWriter<byte>()).ShouldBe(3);
        NoticeForm.WriteJson("?"u8, new ArrayBufferWriter<byte>()).ShouldBe(0);
    }
}

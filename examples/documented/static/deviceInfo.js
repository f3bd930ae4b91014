// JavaScript
document.addEventListener("DOMContentLoaded", function(event) {
  const deviceInfo = OC.user.deviceInfo();
  console.log(deviceInfo);
  // '{"device":"iPhone 7","os":"iOS 11.0","screenWidth":"","screenHeight":""}'
});
